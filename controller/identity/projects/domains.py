"""/v3/domains: projects that hold users, groups and other projects."""

from typing import Any

import falcon
from sqlalchemy import select, true
from sqlalchemy.orm import Session

from controller.identity.projects.api import COLUMNS, tags_of
from controller.identity.projects.create import create_domain
from controller.identity.projects.delete import delete_domain
from controller.identity.projects.fields import DOMAIN_FIELDS as FIELDS
from controller.identity.projects.model import Project
from controller.identity.projects.update import update
from controller.identity.resource import IdentityResource, listed, many, one
from controller.web.errors import NotFound
from controller.web.resource import answer, caller_of, no_content


class DomainsApi(IdentityResource):
    """/v3/domains"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists domains."""
        self.allow(req, "identity:domains:list")
        with self.db.read() as session:
            page = listed(req, session, select(*COLUMNS).where(Project.is_domain == true()), Project, FIELDS)
            view = self.view(req, tags_of(session, [row.id for row in page.rows]))
        answer(resp, many(req, FIELDS, page, view))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates a domain."""
        self.allow(req, "identity:domains:create")
        given = self.given(req, FIELDS, "create")
        row = self.db.write(lambda session: create_domain(session, given))
        tags = {"tags": {row.id: given.values.get("tags", [])}}
        answer(resp, one(FIELDS, row, self.view(req, tags)), 201)


class DomainApi(IdentityResource):
    """/v3/domains/{domain_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, domain_id: str) -> None:
        """Shows a domain."""
        caller = caller_of(req)
        is_own = domain_id in (caller.domain_id, caller.project_domain_id)
        self.allow_own(req, "identity:domains:get", is_own)
        with self.db.read() as session:
            row = found_domain(session, domain_id)
            view = self.view(req, tags_of(session, [domain_id]))
        answer(resp, one(FIELDS, row, view))

    def on_patch(self, req: falcon.Request, resp: falcon.Response, domain_id: str) -> None:
        """Changes a domain."""
        self.allow(req, "identity:domains:update")
        given = self.given(req, FIELDS, "update")

        def change(session: Session) -> tuple[Project, Any]:
            row = found_domain(session, domain_id)
            update(session, row, given)
            return row, tags_of(session, [domain_id])

        row, tags = self.db.write(change)
        answer(resp, one(FIELDS, row, self.view(req, tags)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, domain_id: str) -> None:
        """Deletes a disabled domain with all that is in it."""
        self.allow(req, "identity:domains:delete")
        self.db.write(lambda session: delete_domain(session, found_domain(session, domain_id)))
        no_content(resp)


def found_domain(session: Session, domain_id: str) -> Project:
    """The domain. Raises NotFound, also for a project that is none."""
    row = session.get(Project, domain_id)
    if row is None or not row.is_domain:
        raise NotFound(f"Could not find domain: {domain_id}.")
    return row
