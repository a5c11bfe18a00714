"""Creating an application credential: never for more than the token has that asks for it."""

import datetime
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.identity.application_credentials.model import (
    ApplicationCredential,
    ApplicationCredentialRole,
)
from controller.identity.resource import Given, flush
from controller.identity.roles.model import EffectiveRole, Role
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Forbidden


def new_secret() -> str:
    """A secret for those who do not bring their own."""
    return secrets.token_urlsafe(64)


def check_may_make(session: Session, caller: Caller, user_id: str) -> None:
    """Raises Forbidden for another user, and for a token of a restricted credential."""
    if caller.user_id != user_id:
        raise Forbidden("An application credential can only be created or deleted by its own user.")
    if caller.application_credential_id:
        own = session.get(ApplicationCredential, caller.application_credential_id)
        if own is None or not own.is_unrestricted:
            raise Forbidden("A restricted application credential cannot create or delete others.")


def create(session: Session, caller: Caller, given: Given, secret_hash: str) -> ApplicationCredential:
    """A new credential for the project of the caller's token. Raises BadRequest, Forbidden, Conflict."""
    check_may_make(session, caller, caller.user_id)
    if caller.project_id is None:
        raise BadRequest("An application credential is for a project: use a token of one.")
    values = given.values
    row = ApplicationCredential(
        name=values["name"],
        description=values.get("description"),
        user_id=caller.user_id,
        project_id=caller.project_id,
        secret_hash=secret_hash,
        is_unrestricted=values["is_unrestricted"],
        expires_at=_expiry(values.get("expires_at"), caller),
    )
    roles = _roles(session, caller, values.get("roles") or [])
    session.add(row)
    flush(session, f"An application credential named {row.name} is there already: choose another name.")
    session.add_all(ApplicationCredentialRole(credential_id=row.id, role_id=role) for role in roles)
    session.flush()
    return row


def _roles(session: Session, caller: Caller, asked: Sequence[dict[str, Any]]) -> list[str]:
    """Ids of the roles that are asked for, with what they imply; all of the token's by default."""
    held = dict(
        session.execute(select(Role.name, Role.id).where(Role.id.in_(caller.role_ids))).tuples().all()
    )
    wanted = {part["id"] if "id" in part else held.get(part["name"], "") for part in asked}
    if not wanted <= set(held.values()):
        raise BadRequest("An application credential cannot have a role that its maker's token has not.")
    if not wanted:
        return list(held.values())
    implied = select(EffectiveRole.implied_id).where(EffectiveRole.prior_id.in_(wanted)).distinct()
    return list(session.scalars(implied))


def _expiry(text: str | None, caller: Caller) -> datetime.datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"expires_at must be a moment such as 2027-01-31T12:00:00Z, not {text!r}.") from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    if moment <= now():
        raise BadRequest("expires_at is over already: choose a moment to come.")
    return moment
