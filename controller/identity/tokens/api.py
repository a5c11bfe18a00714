"""/v3/auth/tokens: getting, looking at and ending tokens; and what a token's holder may ask about it."""

from typing import Any

import falcon
from sqlalchemy import select, true
from sqlalchemy.orm import Session

from controller.identity.assignments.effective import actor_ids_of, domain_ids_of, project_ids_of
from controller.identity.assignments.model import SYSTEM, Assignment
from controller.identity.catalog.document import catalog
from controller.identity.projects.api import COLUMNS as PROJECT_COLUMNS
from controller.identity.projects.api import tags_of
from controller.identity.projects.fields import DOMAIN_FIELDS, FIELDS
from controller.identity.projects.model import Project
from controller.identity.resource import IdentityResource, collection, listed, many
from controller.identity.tokens import payload as payloads
from controller.identity.tokens import request, validate
from controller.identity.tokens.document import document
from controller.identity.tokens.identify import identify
from controller.identity.tokens.issue import issue
from controller.identity.tokens.payload import Payload
from controller.identity.tokens.revoke import revoke
from controller.identity.tokens.subject import Subject, caller
from controller.web.errors import NotFound, Unauthorized
from controller.web.resource import answer, base_url, body_of, no_content, params_of


class TokensApi(IdentityResource):
    """/v3/auth/tokens. The path is public, because POST is how one gets a token: the other methods look at
    X-Auth-Token themselves."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Issues a token: 201 with X-Subject-Token."""
        asked = request.parse(body_of(req))
        identity = identify(self.db, self.tools, asked.methods)
        with self.db.read() as session:
            payload, subject = issue(session, identity, asked.scope)
            shown = _document(session, req, payload, subject)
        resp.set_header("X-Subject-Token", self.tools.keys.encrypt(payloads.encode(payload)))
        resp.set_header("Vary", "X-Auth-Token")
        answer(resp, {"token": shown}, 201)

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Shows the token in X-Subject-Token, if it is valid; 404 otherwise."""
        payload = self._subject_payload(req, "identity:tokens:get")
        with self.db.read() as session:
            shown = _document(session, req, payload, _valid(session, payload))
        resp.set_header("X-Subject-Token", req.get_header("X-Subject-Token") or "")
        resp.set_header("Vary", "X-Auth-Token")
        answer(resp, {"token": shown})

    def on_delete(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Ends the token in X-Subject-Token."""
        payload = self._subject_payload(req, "identity:tokens:delete")
        self.db.write(lambda session: revoke(session, payload))
        no_content(resp)

    def _subject_payload(self, req: falcon.Request, rule: str) -> Payload:
        """The token that the request is about; users may ask about their own.

        Raises Unauthorized (about the caller), NotFound (about the subject), Forbidden.
        """
        own = validate.opened(self.tools.keys, req.get_header("X-Auth-Token") or "")
        with self.db.read() as session:
            req.context.caller = caller(validate.valid(session, own), own)
        text = req.get_header("X-Subject-Token") or ""
        try:
            payload = (
                own if text == req.get_header("X-Auth-Token") else validate.opened(self.tools.keys, text)
            )
            is_own = payload.user_id == own.user_id
        except Unauthorized:
            payload, is_own = None, False
        self.allow_own(req, rule, is_own)
        if payload is None:
            raise NotFound("Could not find the token in X-Subject-Token: it is not valid.")
        with self.db.read() as session:
            _valid(session, payload)
        return payload


class AuthCatalogApi(IdentityResource):
    """/v3/auth/catalog"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Shows the catalog for the caller's scope."""
        who = self.allow(req, "identity:auth:catalog")
        if not who.project_id and not who.domain_id and not who.is_system:
            raise NotFound("An unscoped token has no catalog: get one for a project.")
        with self.db.read() as session:
            services = catalog(session, who.user_id, who.project_id)
        answer(resp, collection(req, "catalog", services))


class AuthProjectsApi(IdentityResource):
    """/v3/auth/projects"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists the projects that the caller may get a token for."""
        user_id = self.allow(req, "identity:auth:projects").user_id
        statement = select(*PROJECT_COLUMNS).where(
            Project.id.in_(project_ids_of(user_id)), Project.is_enabled == true()
        )
        with self.db.read() as session:
            page = listed(req, session, statement, Project, FIELDS)
            view = self.view(req, tags_of(session, [row.id for row in page.rows]))
        answer(resp, many(req, FIELDS, page, view))


class AuthDomainsApi(IdentityResource):
    """/v3/auth/domains"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists the domains that the caller may get a token for."""
        user_id = self.allow(req, "identity:auth:domains").user_id
        statement = select(*PROJECT_COLUMNS).where(
            Project.id.in_(domain_ids_of(user_id)), Project.is_enabled == true()
        )
        with self.db.read() as session:
            page = listed(req, session, statement, Project, DOMAIN_FIELDS)
            view = self.view(req, tags_of(session, [row.id for row in page.rows]))
        answer(resp, many(req, DOMAIN_FIELDS, page, view))


class AuthSystemApi(IdentityResource):
    """/v3/auth/system"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Says whether the caller may get a token for the system."""
        user_id = self.allow(req, "identity:auth:system").user_id
        with self.db.read() as session:
            has_role = session.scalar(select(_has_system_role(user_id)))
        answer(resp, {"system": [{"all": True}] if has_role else [], "links": _self(req)})


def _has_system_role(user_id: str) -> Any:
    return select(Assignment.role_id).where(actor_ids_of(user_id), Assignment.target_id == SYSTEM).exists()


def _self(req: falcon.Request) -> dict[str, str]:
    return {"self": f"{base_url(req)}{req.path}"}


def _valid(session: Session, payload: Payload) -> Subject:
    """The subject of X-Subject-Token. Raises NotFound when it is not valid any more."""
    try:
        return validate.valid(session, payload)
    except Unauthorized:
        raise NotFound("Could not find the token in X-Subject-Token: it is not valid any more.") from None


def _document(session: Session, req: falcon.Request, payload: Payload, subject: Subject) -> dict[str, Any]:
    """The token as JSON, with the catalog unless ?nocatalog or unscoped."""
    services = None
    if payload.scope != payloads.UNSCOPED and "nocatalog" not in params_of(req):
        project_id = payload.target_id if payload.scope == payloads.PROJECT else None
        services = catalog(session, subject.user.id, project_id)
    return document(payload, subject, services)
