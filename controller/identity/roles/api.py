"""/v3/roles: names of what users may do."""

import falcon
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from controller.identity.projects.create import given_options
from controller.identity.projects.model import Project
from controller.identity.resource import (
    IMMUTABLE,
    NAME,
    NULLABLE_ID,
    NULLABLE_TEXT,
    Given,
    IdentityResource,
    apply,
    flush,
    found,
    is_immutable,
    links,
    listed,
    many,
    one,
)
from controller.identity.roles import closure
from controller.identity.roles.model import Role
from controller.web.errors import BadRequest, Forbidden
from controller.web.fields import Field, Fields, exact
from controller.web.resource import answer, no_content, params_of

COLUMNS = tuple(Role.__table__.columns)

FIELDS = Fields(
    "role",
    "roles",
    (
        Field(name="id", filter=exact),
        Field(name="name", schema=NAME, create=True, update=True, required=True, filter=exact, sort=True),
        Field(
            name="domain_id",
            show=lambda row, _view: row.domain_id or None,
            schema=NULLABLE_ID,
            create=True,
            filter=exact,
        ),
        Field(name="description", schema=NULLABLE_TEXT, create=True, update=True),
        Field(name="options", schema=IMMUTABLE, create=True, update=True),
        Field(name="links", show=links("roles")),
    ),
    is_open=True,
)


class RolesApi(IdentityResource):
    """/v3/roles"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists the roles of the whole cloud, or of the domain that is asked for."""
        self.allow(req, "identity:roles:list")
        statement = select(*COLUMNS)
        if "domain_id" not in params_of(req):
            statement = statement.where(Role.domain_id == "")
        with self.db.read() as session:
            page = listed(req, session, statement, Role, FIELDS)
        answer(resp, many(req, FIELDS, page, self.view(req)))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates a role."""
        self.allow(req, "identity:roles:create")
        given = self.given(req, FIELDS, "create")
        row = self.db.write(lambda session: create(session, given))
        answer(resp, one(FIELDS, row, self.view(req)), 201)


class RoleApi(IdentityResource):
    """/v3/roles/{role_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, role_id: str) -> None:
        """Shows a role."""
        self.allow(req, "identity:roles:get")
        with self.db.read() as session:
            row = found(session, Role, role_id, "role")
        answer(resp, one(FIELDS, row, self.view(req)))

    def on_patch(self, req: falcon.Request, resp: falcon.Response, role_id: str) -> None:
        """Changes a role."""
        self.allow(req, "identity:roles:update")
        given = self.given(req, FIELDS, "update")

        def change(session: Session) -> Role:
            row: Role = found(session, Role, role_id, "role")
            given.must_keep(id=row.id, domain_id=row.domain_id or None)
            apply(row, given)
            flush(session, f"A role named {row.name} is there already: choose another name.")
            return row

        answer(resp, one(FIELDS, self.db.write(change), self.view(req)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, role_id: str) -> None:
        """Deletes a role, and with it every assignment of it."""
        self.allow(req, "identity:roles:delete")
        self.db.write(lambda session: delete_role(session, found(session, Role, role_id, "role")))
        no_content(resp)


def create(session: Session, given: Given) -> Role:
    """A new role, of the cloud or of one domain. Raises BadRequest, Conflict."""
    values = given.values
    domain_id = values.get("domain_id") or ""
    domain = session.get(Project, domain_id) if domain_id else None
    if domain_id and (domain is None or not domain.is_domain):
        raise BadRequest(f"Could not find domain: {domain_id}.")
    row = Role(
        name=values["name"],
        domain_id=domain_id,
        description=values.get("description"),
        options=given_options(values),
        extra=given.extra,
    )
    session.add(row)
    flush(session, f"A role named {row.name} is there already: choose another name.")
    closure.rewrite(session)
    return row


def delete_role(session: Session, row: Role) -> None:
    """Takes the role, its assignments and its implications. Raises Forbidden."""
    if is_immutable(row):
        raise Forbidden(f"The role {row.name} is immutable: unset its option immutable first.")
    session.execute(delete(Role).where(Role.id == row.id))
    closure.rewrite(session)
