"""/v3/credentials: secrets that users keep here for other programs, sealed in the database."""

import hashlib
from typing import Any

import falcon
import msgspec
from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db.columns import Base, Id, new_hex
from controller.identity.resource import Given, IdentityResource, collection, flush, links, listed
from controller.identity.users.model import User
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Forbidden, NotFound
from controller.web.fields import Field, Fields, exact
from controller.web.resource import answer, caller_of, no_content
from controller.web.schema import Schema


class Credential(Base):
    """One secret of a user; ``sealed`` is the blob under the master key."""

    __tablename__ = "credentials"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_hex)
    type: Mapped[str] = mapped_column(String(255))
    user_id: Mapped[Id] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    project_id: Mapped[Id | None]
    sealed: Mapped[str] = mapped_column(Text)


_BLOB: Schema = {"type": "string", "maxLength": 16000}
_TYPE: Schema = {"type": "string", "minLength": 1, "maxLength": 255}
_PROJECT: Schema = {"type": ["string", "null"], "maxLength": 64}
_USER: Schema = {"type": "string", "maxLength": 64}

FIELDS = Fields(
    "credential",
    "credentials",
    (
        Field(name="id"),
        Field(name="type", schema=_TYPE, create=True, update=True, required=True, filter=exact),
        Field(name="user_id", schema=_USER, create=True, update=True, required=True, filter=exact),
        Field(name="project_id", schema=_PROJECT, create=True, update=True),
        Field(
            name="blob",
            show=lambda row, view: view.of("blobs", row.id),
            schema=_BLOB,
            create=True,
            update=True,
            required=True,
        ),
        Field(name="links", show=links("credentials")),
    ),
    is_open=True,
)


class _Credentials(IdentityResource):
    """What both classes share."""

    def primary(self, req: falcon.Request, rule: str, user_id: str) -> Caller:
        """The caller, if he may touch credentials of this user. Raises Forbidden, also for delegated tokens:
        what was given for less must not lead to more."""
        caller = self.allow_own(req, rule, caller_of(req).user_id == user_id)
        if caller.application_credential_id:
            raise Forbidden("A token of an application credential cannot be used for credentials.")
        return caller

    def shown(self, req: falcon.Request, row: Any) -> dict[str, Any]:
        """A row with its blob opened."""
        blobs = {row.id: self.tools.master.open(row.sealed).decode()}
        return FIELDS.view(row, self.view(req, {"blobs": blobs}))

    def reached(self, req: falcon.Request, rule: str, credential_id: str) -> Credential:
        """The row, if the caller may touch it; that of another user is not found."""
        with self.db.read() as session:
            row = session.get(Credential, credential_id)
        caller = caller_of(req)
        self.primary(req, rule, row.user_id if row is not None and row.user_id == caller.user_id else "")
        if row is None:
            raise NotFound(f"Could not find credential: {credential_id}.")
        return row


class CredentialsApi(_Credentials):
    """/v3/credentials"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists the caller's, or everyone's for those who look after all."""
        caller = caller_of(req)
        is_keeper = self.cloud.policy.allows(caller, "identity:credentials:list")
        self.primary(req, "identity:credentials:list", "" if is_keeper else caller.user_id)
        statement = select(*Credential.__table__.columns)
        if not is_keeper:
            statement = statement.where(Credential.user_id == caller.user_id)
        with self.db.read() as session:
            page = listed(req, session, statement, Credential, FIELDS)
        answer(
            resp, collection(req, FIELDS.plural, [self.shown(req, row) for row in page.rows], page.next_url)
        )

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Keeps a new one."""
        self.primary(req, "identity:credentials:create", caller_of(req).user_id)
        given = self.given(req, FIELDS, "create")
        self.primary(req, "identity:credentials:create", given.values["user_id"])
        sealed = self.tools.master.seal(given.values["blob"].encode())
        row = self.db.write(lambda session: create(session, given, sealed))
        answer(resp, {FIELDS.singular: self.shown(req, row)}, 201)


class CredentialApi(_Credentials):
    """/v3/credentials/{credential_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, credential_id: str) -> None:
        """Shows one."""
        row = self.reached(req, "identity:credentials:get", credential_id)
        answer(resp, {FIELDS.singular: self.shown(req, row)})

    def on_patch(self, req: falcon.Request, resp: falcon.Response, credential_id: str) -> None:
        """Changes one."""
        self.reached(req, "identity:credentials:update", credential_id)
        given = self.given(req, FIELDS, "update")
        given.must_keep(id=credential_id)
        if "user_id" in given.values:
            self.primary(req, "identity:credentials:update", given.values["user_id"])
        values = {k: v for k, v in given.values.items() if k != "blob"}
        if "blob" in given.values:
            values["sealed"] = self.tools.master.seal(given.values["blob"].encode())
        row = self.db.write(lambda session: update(session, credential_id, values))
        answer(resp, {FIELDS.singular: self.shown(req, row)})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, credential_id: str) -> None:
        """Forgets one."""
        self.reached(req, "identity:credentials:delete", credential_id)
        self.db.write(lambda session: session.delete(_found(session, credential_id)))
        no_content(resp)


def create(session: Session, given: Given, sealed: str) -> Credential:
    """A new credential; one of type ec2 has an id made of its access key. Raises BadRequest, Conflict."""
    values = given.values
    _check_user(session, values["user_id"])
    is_ec2 = values["type"].lower() == "ec2"
    row = Credential(
        id=_ec2_id(values["blob"]) if is_ec2 else new_hex(),
        type=values["type"],
        user_id=values["user_id"],
        project_id=values.get("project_id"),
        sealed=sealed,
    )
    session.add(row)
    flush(session, "A credential with this access key is there already: use another key.")
    return row


def update(session: Session, credential_id: str, values: dict[str, Any]) -> Credential:
    """Changes what is named. Raises NotFound, BadRequest."""
    row = _found(session, credential_id)
    if "user_id" in values:
        _check_user(session, values["user_id"])
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()
    return row


def _found(session: Session, credential_id: str) -> Credential:
    row = session.get(Credential, credential_id)
    if row is None:
        raise NotFound(f"Could not find credential: {credential_id}.")
    return row


def _check_user(session: Session, user_id: str) -> None:
    if session.get(User, user_id) is None:
        raise BadRequest(f"Could not find user: {user_id}.")


def _ec2_id(blob: str) -> str:
    try:
        access = msgspec.json.decode(blob.encode(), type=dict[str, Any])["access"]
    except (msgspec.MsgspecError, KeyError):
        access = None
    if not isinstance(access, str):
        raise BadRequest("The blob of an ec2 credential must be a JSON object with access and secret.")
    return hashlib.sha256(access.encode()).hexdigest()
