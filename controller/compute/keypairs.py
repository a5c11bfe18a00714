"""Keypairs: public keys that guests let in."""

import base64
import datetime
import hashlib
from typing import Any

import falcon
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from sqlalchemy import Integer, String, Text, UniqueConstraint, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db.columns import Base, Id, UtcDateTime, now
from controller.identity import projects
from controller.operations import quota
from controller.web import paging
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Conflict, Forbidden, NotFound
from controller.web.fields import Field, Fields, micro_time_text
from controller.web.resource import Resource, answer, base_url, body_of, no_content, params_of, version_of
from controller.web.versions import Version


class Keypair(Base):
    """A user's public key. ``id`` counts, as older microversions show a number."""

    __tablename__ = "keypairs"
    __table_args__ = (UniqueConstraint("user_id", "name"), Base.__table_args__)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    user_id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(255))
    type: Mapped[str] = mapped_column(String(16), default="ssh")
    fingerprint: Mapped[str] = mapped_column(String(255))
    public_key: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, default=now)


#: Letters, digits and what people put between them; 2.92 allows @ and dot as well.
_NAME = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^(?=.*\S)[\w@.\- ]+$"}
_V2_2, _V2_10, _V2_35 = Version(2, 2), Version(2, 10), Version(2, 35)

FIELDS = Fields(
    "keypair",
    "keypairs",
    [
        Field(name="name", schema=_NAME, create=True, required=True),
        Field(name="public_key", schema={"type": "string"}, create=True),
        Field(name="fingerprint"),
        # 2.2: type, ssh unless x509 is asked for
        Field(name="type", schema={"enum": ["ssh", "x509"]}, create=True, since=_V2_2),
        # 2.10: an administrator may act for another user
        Field(
            name="user_id",
            is_shown=False,
            schema={"type": "string"},
            create=True,
            create_since=_V2_10,
            set="compute:keypairs:create:other-user",
        ),
    ],
)
_DETAIL = Fields(
    "keypair",
    "keypairs",
    [
        *(f for f in FIELDS.fields if f.name != "user_id"),
        Field(name="user_id"),
        Field(name="id"),
        Field(name="created_at", show=lambda row, _: micro_time_text(row.created_at)),
        Field(name="deleted", show=lambda _row, _view: False),
        Field(name="deleted_at", show=lambda _row, _view: None),
        Field(name="updated_at", show=lambda _row, _view: None),
    ],
)


def fingerprint_of(public_key: str) -> str:
    """MD5 of the key in pairs of digits, as OpenSSH once showed it. Raises BadRequest for no key."""
    words = public_key.split()
    try:
        raw = base64.b64decode(words[1], validate=True)
        length = int.from_bytes(raw[:4], "big")
        if raw[4 : 4 + length].decode() != words[0]:
            raise ValueError(words[0])
    except (IndexError, ValueError, UnicodeDecodeError):
        raise BadRequest(
            "Keypair data is invalid: give an OpenSSH public key, such as the content of "
            "~/.ssh/id_ed25519.pub."
        ) from None
    digits = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    return ":".join(digits[i : i + 2] for i in range(0, 32, 2))


def generate() -> tuple[str, str]:
    """A new ed25519 keypair: (private key in OpenSSH form, public key)."""
    private = ed25519.Ed25519PrivateKey.generate()
    text = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ).decode()
    public = (
        private.public_key()
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        .decode()
    )
    return text, f"{public} Generated-by-Cumulet\n"


def create(session: Session, caller: Caller, values: dict[str, Any]) -> Keypair:
    """Writes a keypair for the caller, or for the user that an administrator names.

    Raises Conflict when the name is taken, OverQuota, BadRequest.
    """
    user_id = values.get("user_id") or caller.user_id
    projects.lock(session, caller.own_project)
    used = session.scalar(select(func.count()).select_from(Keypair).where(Keypair.user_id == user_id)) or 0
    quota.check(session, caller.own_project, "compute", {"key_pairs": used + 1})
    if find_or_none(session, user_id, values["name"]) is not None:
        raise Conflict(f"Key pair '{values['name']}' already exists: choose another name or delete it.")
    keypair = Keypair(
        user_id=user_id,
        name=values["name"],
        type=values.get("type") or "ssh",
        fingerprint=fingerprint_of(values["public_key"]),
        public_key=values["public_key"],
    )
    session.add(keypair)
    session.flush()
    return keypair


def find_or_none(session: Session, user_id: str, name: str) -> Keypair | None:
    """A user's keypair by name."""
    return session.scalars(
        select(Keypair).where(Keypair.user_id == user_id, Keypair.name == name)
    ).one_or_none()


class Keypairs(Resource):
    """/os-keypairs"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists the caller's keypairs."""
        caller = self.allow(req, "compute:keypairs:list")
        params, version = params_of(req), version_of(req)
        user_id = _whose(
            caller,
            params if version >= _V2_10 else {},
            self.cloud.policy.allows(caller, "compute:keypairs:list:other-user"),
        )
        limit = paging.counted(params, "limit") if version >= _V2_35 else None
        statement = select(Keypair).where(Keypair.user_id == user_id).order_by(Keypair.name)
        if version >= _V2_35 and params.get("marker"):
            statement = statement.where(Keypair.name > params["marker"][0])
        with self.db.read() as session:
            rows = list(session.scalars(statement.limit(limit + 1) if limit is not None else statement))
        view = self.view(req)
        body: dict[str, Any] = {"keypairs": [FIELDS.one(row, view) for row in rows[:limit]]}
        if limit is not None and len(rows) > limit > 0:
            url = paging.next_url(f"{base_url(req)}/v2.1/os-keypairs", params, rows[limit - 1].name)
            body["keypairs_links"] = [{"rel": "next", "href": url}]
        answer(resp, body)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Imports a public key, or (before 2.92) makes a pair and answers the private half once."""
        caller = self.allow(req, "compute:keypairs:create")
        version = version_of(req)
        values = FIELDS.body("create", body_of(req), caller, self.cloud.policy, version)
        private = ""
        if not values.get("public_key"):
            if version >= Version(2, 92):
                raise BadRequest(
                    "public_key is required since microversion 2.92: make a key with ssh-keygen."
                )
            private, values["public_key"] = generate()
        keypair = self.db.write(lambda s: create(s, caller, values))
        shown = FIELDS.one(keypair, self.view(req))
        shown["keypair"]["user_id"] = keypair.user_id
        if private:
            shown["keypair"]["private_key"] = private
        answer(resp, shown, 201 if version >= _V2_2 else 200)


class KeypairItem(Resource):
    """/os-keypairs/{name}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Shows."""
        caller = self.allow(req, "compute:keypairs:show")
        user_id = self._whose(req, caller)
        with self.db.read() as session:
            keypair = find_or_none(session, user_id, name)
        if keypair is None:
            raise NotFound(f"Keypair {name} not found for user {user_id}.")
        answer(resp, _DETAIL.one(keypair, self.view(req)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Deletes; servers made with it keep the key."""
        caller = self.allow(req, "compute:keypairs:delete")
        user_id = self._whose(req, caller)

        def remove(session: Session) -> None:
            done = session.execute(delete(Keypair).where(Keypair.user_id == user_id, Keypair.name == name))
            if not done.rowcount:  # type: ignore[attr-defined]
                raise NotFound(f"Keypair {name} not found for user {user_id}.")

        self.db.write(remove)
        no_content(resp, 204 if version_of(req) >= _V2_2 else 202)

    def _whose(self, req: falcon.Request, caller: Caller) -> str:
        params = params_of(req) if version_of(req) >= _V2_10 else {}
        return _whose(caller, params, self.cloud.policy.allows(caller, "compute:keypairs:list:other-user"))


def _whose(caller: Caller, params: dict[str, list[str]], may_others: bool) -> str:
    user_id = params.get("user_id", [""])[0] or caller.user_id
    if user_id != caller.user_id and not may_others:
        raise Forbidden("Policy doesn't allow to look at keypairs of other users.")
    return user_id
