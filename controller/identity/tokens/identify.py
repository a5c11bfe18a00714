"""Who asks for a token: by password, by another token or by an application credential.

Whatever is wrong (no such user, wrong password, disabled), the answer is the same and takes as long.
"""

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.db.session import Database
from controller.identity.tokens import lookup, request, validate
from controller.identity.tokens import payload as payloads
from controller.identity.tokens.payload import Payload
from controller.identity.tools import Tools
from controller.identity.users.model import User
from controller.web.errors import Forbidden, Unauthorized

REFUSED = "The request you have made requires authentication."


@dataclass(frozen=True)
class Identity:
    """A user who proved to be it. ``parent`` is the token it was proved by, None for a password.

    ``delegation`` is the application credential it was proved by, which is for ``project_id`` only.
    """

    user_id: str
    generation: int
    default_project_id: str | None
    methods: tuple[str, ...]
    expires_us: int
    parent: Payload | None = None
    delegation: str = ""
    project_id: str = ""


def identify(db: Database, tools: Tools, methods: dict[str, dict[str, Any]]) -> Identity:
    """Checks every method that was named; they must all say the same user. Raises Unauthorized."""
    known = {"password": _by_password, "token": _by_token, "application_credential": _by_credential}
    if not methods or not set(methods) <= set(known):
        raise Unauthorized("Attempted to authenticate with an unsupported method.")
    if "application_credential" in methods:
        if len(methods) > 1:
            raise Unauthorized("An application credential cannot be combined with another method.")
        return _by_credential(db, tools, methods["application_credential"])
    proofs = [known[name](db, tools, given) for name, given in methods.items()]
    if len({proof.user_id for proof in proofs}) != 1:
        raise Unauthorized(REFUSED)
    names = tuple(sorted({name for proof in proofs for name in proof.methods}))
    first = proofs[0]
    return Identity(
        user_id=first.user_id,
        generation=first.generation,
        default_project_id=first.default_project_id,
        methods=names,
        expires_us=min(proof.expires_us for proof in proofs),
        parent=next((proof.parent for proof in proofs if proof.parent), None),
    )


def _by_password(db: Database, tools: Tools, given: dict[str, Any]) -> Identity:
    user = given["user"]
    wanted = request.reference(user)
    with db.read() as session:
        row = lookup.user(session, wanted)
    is_enabled = row is not None and row.is_enabled and row.domain_is_enabled
    stored = row.password_hash if row is not None else None
    is_right = tools.passwords.is_right(user.get("password", ""), stored, may_remember=is_enabled)
    if row is None or not is_enabled or not is_right:
        raise Unauthorized(REFUSED)
    return Identity(
        user_id=row.id,
        generation=row.security_generation,
        default_project_id=row.default_project_id,
        methods=("password",),
        expires_us=payloads.microseconds(now()) + tools.lifetime_s * 1_000_000,
    )


def _by_token(db: Database, tools: Tools, given: dict[str, Any]) -> Identity:
    parent = validate.opened(tools.keys, given["id"])
    if parent.delegation:
        raise Forbidden("A token of an application credential cannot be exchanged for another.")
    with db.read() as session:
        validate.valid(session, parent)
        default = session.scalar(select(User.default_project_id).where(User.id == parent.user_id))
    return Identity(
        user_id=parent.user_id,
        generation=parent.generation,
        default_project_id=default,
        methods=(*parent.method_names, "token"),
        expires_us=parent.expires_us,
        parent=parent,
    )


def _by_credential(db: Database, tools: Tools, given: dict[str, Any]) -> Identity:
    with db.read() as session:
        row = lookup.credential(session, given["id"]) if "id" in given else _named(session, given)
    is_valid = row is not None and row.is_enabled and row.domain_is_enabled and not _is_over(row.expires_at)
    stored = row.secret_hash if row is not None else None
    is_right = tools.passwords.is_right(given["secret"], stored, may_remember=is_valid)
    if row is None or not is_valid or not is_right:
        raise Unauthorized(REFUSED)
    expires = now() + datetime.timedelta(seconds=tools.lifetime_s)
    return Identity(
        user_id=row.user_id,
        generation=row.security_generation,
        default_project_id=None,
        methods=("application_credential",),
        expires_us=payloads.microseconds(min(expires, row.expires_at or expires)),
        delegation=row.id,
        project_id=row.project_id,
    )


def _named(session: Session, given: dict[str, Any]) -> Any:
    """The credential of a user by its name."""
    user = lookup.user(session, request.reference(given["user"]))
    return None if user is None else lookup.credential_named(session, user.id, given["name"])


def _is_over(expires_at: datetime.datetime | None) -> bool:
    return expires_at is not None and expires_at <= now()
