"""/v3/policies: policy texts that clients store here; nothing in this cloud reads them."""

from typing import Any

import falcon
from sqlalchemy import JSON, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db.columns import Base, Id, new_hex
from controller.identity.resource import IdentityResource, apply, found, links, listed, many, one
from controller.web.fields import Field, Fields, exact
from controller.web.resource import answer, no_content
from controller.web.schema import Schema


class PolicyText(Base):
    """One text."""

    __tablename__ = "policy_texts"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_hex)
    type: Mapped[str] = mapped_column(String(255))
    blob: Mapped[str] = mapped_column(Text)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


_BLOB: Schema = {"type": "string", "maxLength": 16000}
_TYPE: Schema = {"type": "string", "maxLength": 255}

FIELDS = Fields(
    "policy",
    "policies",
    (
        Field(name="id"),
        Field(name="type", schema=_TYPE, create=True, update=True, required=True, filter=exact),
        Field(name="blob", schema=_BLOB, create=True, update=True, required=True),
        Field(name="links", show=links("policies")),
    ),
    is_open=True,
)


class PoliciesApi(IdentityResource):
    """/v3/policies"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists texts."""
        self.allow(req, "identity:policies:list")
        with self.db.read() as session:
            page = listed(req, session, select(*PolicyText.__table__.columns), PolicyText, FIELDS)
        answer(resp, many(req, FIELDS, page, self.view(req)))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Stores a text."""
        self.allow(req, "identity:policies:create")
        given = self.given(req, FIELDS, "create")

        def make(session: Session) -> PolicyText:
            row = PolicyText(**given.values, extra=given.extra)
            session.add(row)
            session.flush()
            return row

        answer(resp, one(FIELDS, self.db.write(make), self.view(req)), 201)


class PolicyApi(IdentityResource):
    """/v3/policies/{policy_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, policy_id: str) -> None:
        """Shows a text."""
        self.allow(req, "identity:policies:get")
        with self.db.read() as session:
            row = found(session, PolicyText, policy_id, "policy")
        answer(resp, one(FIELDS, row, self.view(req)))

    def on_patch(self, req: falcon.Request, resp: falcon.Response, policy_id: str) -> None:
        """Changes a text."""
        self.allow(req, "identity:policies:update")
        given = self.given(req, FIELDS, "update")

        def change(session: Session) -> PolicyText:
            row: PolicyText = found(session, PolicyText, policy_id, "policy")
            given.must_keep(id=policy_id)
            apply(row, given)
            session.flush()
            return row

        answer(resp, one(FIELDS, self.db.write(change), self.view(req)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, policy_id: str) -> None:
        """Forgets a text."""
        self.allow(req, "identity:policies:delete")
        self.db.write(lambda session: session.delete(found(session, PolicyText, policy_id, "policy")))
        no_content(resp)
