"""/v3/users/{user_id}/application_credentials"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.identity.application_credentials.create import check_may_make, create, new_secret
from controller.identity.application_credentials.model import (
    ApplicationCredential,
    ApplicationCredentialRole,
)
from controller.identity.passwords import MAX_LENGTH
from controller.identity.resource import BOOLEAN, NAME, IdentityResource, collection, listed, store_bool
from controller.identity.roles.model import Role
from controller.web.errors import NotFound
from controller.web.fields import Field, Fields, View, exact, micro_time_text
from controller.web.resource import answer, caller_of, no_content
from controller.web.schema import Schema

COLUMNS = tuple(c for c in ApplicationCredential.__table__.columns if c.name != "secret_hash")
_TEXT: Schema = {"type": ["string", "null"], "maxLength": MAX_LENGTH}
_ROLE: Schema = {
    "type": "object",
    "properties": {"id": {"type": "string", "maxLength": 64}, "name": NAME},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}


def _link(row: Any, view: View) -> dict[str, str]:
    return {"self": f"{view.base_url}/v3/users/{row.user_id}/application_credentials/{row.id}"}


FIELDS = Fields(
    "application_credential",
    "application_credentials",
    (
        Field(name="id"),
        Field(name="name", schema=NAME, create=True, required=True, filter=exact),
        Field(name="description", schema=_TEXT, create=True),
        Field(name="user_id"),
        Field(name="project_id"),
        Field(
            name="expires_at",
            show=lambda row, _view: micro_time_text(row.expires_at),
            schema={"type": ["string", "null"], "maxLength": 64},
            create=True,
        ),
        Field(
            name="unrestricted",
            attr="is_unrestricted",
            schema=BOOLEAN,
            create=True,
            default=False,
            store=store_bool,
        ),
        Field(
            name="roles",
            show=lambda row, view: view.of("roles", row.id, []),
            schema={"anyOf": [{"type": "array", "items": _ROLE}, {"type": "null"}]},
            create=True,
        ),
        # Rules for single URLs are not offered; clients send null or an empty list for none.
        Field(
            name="access_rules",
            schema={"anyOf": [{"type": "null"}, {"type": "array", "maxItems": 0}]},
            create=True,
            is_shown=False,
        ),
        Field(name="secret", schema=_TEXT, create=True, is_shown=False),
        Field(name="links", show=_link),
    ),
)


class ApplicationCredentialsApi(IdentityResource):
    """All of a user."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        """Lists them, without their secrets."""
        self.allow_own(req, "identity:application_credentials:list", caller_of(req).user_id == user_id)
        statement = select(*COLUMNS).where(ApplicationCredential.user_id == user_id)
        with self.db.read() as session:
            page = listed(req, session, statement, ApplicationCredential, FIELDS)
            view = self.view(req, _roles_of(session, [row.id for row in page.rows]))
        rows = [FIELDS.view(row, view) for row in page.rows]
        answer(resp, collection(req, FIELDS.plural, rows, page.next_url))

    def on_post(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        """Creates one; its secret is shown now and never again."""
        caller = self.allow_own(
            req, "identity:application_credentials:create", caller_of(req).user_id == user_id
        )
        given = self.given(req, FIELDS, "create")
        with self.db.read() as session:
            check_may_make(session, caller, user_id)
        secret = given.values.get("secret") or new_secret()
        hashed = self.tools.passwords.hashed(secret)

        def make(session: Session) -> tuple[ApplicationCredential, Any]:
            row = create(session, caller, given, hashed)
            return row, _roles_of(session, [row.id])

        row, related = self.db.write(make)
        shown = {**FIELDS.view(row, self.view(req, related)), "secret": secret}
        answer(resp, {FIELDS.singular: shown}, 201)


class ApplicationCredentialApi(IdentityResource):
    """One of a user."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, user_id: str, credential_id: str) -> None:
        """Shows it, without its secret."""
        self.allow_own(req, "identity:application_credentials:get", caller_of(req).user_id == user_id)
        with self.db.read() as session:
            row = _of_user(session, user_id, credential_id)
            view = self.view(req, _roles_of(session, [credential_id]))
        answer(resp, {FIELDS.singular: FIELDS.view(row, view)})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, user_id: str, credential_id: str) -> None:
        """Deletes it; tokens got by it end at once."""
        caller = self.allow_own(
            req, "identity:application_credentials:delete", caller_of(req).user_id == user_id
        )

        def remove(session: Session) -> None:
            check_may_make(session, caller, caller.user_id)
            session.delete(_of_user(session, user_id, credential_id))

        self.db.write(remove)
        no_content(resp)


def _of_user(session: Session, user_id: str, credential_id: str) -> ApplicationCredential:
    row = session.get(ApplicationCredential, credential_id)
    if row is None or row.user_id != user_id:
        raise NotFound(f"Could not find application credential: {credential_id}.")
    return row


def _roles_of(session: Session, credential_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    roles: dict[str, list[dict[str, Any]]] = defaultdict(list)
    wanted = (
        select(ApplicationCredentialRole.credential_id, Role.id, Role.name, Role.domain_id)
        .join(Role, Role.id == ApplicationCredentialRole.role_id)
        .where(ApplicationCredentialRole.credential_id.in_(credential_ids))
        .order_by(Role.name)
    )
    for credential_id, role_id, name, domain_id in session.execute(wanted):
        roles[credential_id].append({"id": role_id, "name": name, "domain_id": domain_id or None})
    return {"roles": roles}
