"""Changing a user, and what ends the user's tokens: a new password, and being disabled."""

import dataclasses

from sqlalchemy.orm import Session

from controller.identity.resource import Given, apply, flush
from controller.identity.users.create import check_default_project
from controller.identity.users.model import User


def update(session: Session, row: User, given: Given, password_hash: str | None) -> None:
    """Changes what the body names. Raises BadRequest, Forbidden, Conflict."""
    given.must_keep(id=row.id, domain_id=row.domain_id)
    check_default_project(session, given.values.get("default_project_id"))
    was_enabled = row.is_enabled
    apply(row, dataclasses.replace(given, values={k: v for k, v in given.values.items() if k != "password"}))
    if "password" in given.values:
        set_password(row, password_hash)
    elif was_enabled and not row.is_enabled:
        row.security_generation += 1
    flush(session, f"A user named {row.name} is in the domain already: choose another name.")


def set_password(row: User, password_hash: str | None) -> None:
    """Gives the user a password (None: none that works); every token of the user ends."""
    row.password_hash = password_hash
    row.security_generation += 1
