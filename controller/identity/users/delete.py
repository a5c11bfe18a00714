"""Deleting a user."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from controller.identity.assignments.model import Assignment
from controller.identity.resource import is_immutable
from controller.identity.users.model import User
from controller.web.errors import Forbidden


def delete_user(session: Session, row: User) -> None:
    """Takes the user with role assignments, memberships and credentials. Raises Forbidden."""
    if is_immutable(row):
        raise Forbidden(f"{row.id} is immutable: unset its option immutable first.")
    session.execute(delete(Assignment).where(Assignment.actor_id == row.id))
    session.execute(delete(User).where(User.id == row.id))
