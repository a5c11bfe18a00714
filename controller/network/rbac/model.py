"""Rows of policies, the conditions that are made of them, and the wildcard behind ``shared``.

That a resource is shared, or a network open to the outside for all, is said by policies alone: no other
column could disagree with them.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Index, String, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db.columns import Base, Id, new_uuid

#: Stands for every project.
EVERYBODY = "*"
#: What a policy allows: to use a resource as if it were one's own, or as the way outside.
SHARED, EXTERNAL = "access_as_shared", "access_as_external"
ANY = (SHARED, EXTERNAL)


class RbacPolicy(Base):
    """One policy: ``target_project`` may act on the object. ``project_id`` owns the policy."""

    __tablename__ = "network_rbac_policies"
    __table_args__ = (
        UniqueConstraint("object_id", "action", "target_project"),
        Index("ix_network_rbac_policies_target", "target_project", "action", "object_id"),
        Base.__table_args__,
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    project_id: Mapped[Id] = mapped_column(index=True)
    object_type: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[Id]
    action: Mapped[str] = mapped_column(String(32))
    target_project: Mapped[Id]


def granted(column: Any, project_id: str, *actions: str) -> ColumnElement[bool]:
    """Whether a policy opens the row whose id is in ``column`` to the project; to share, if not said."""
    found: ColumnElement[bool] = column.in_(
        select(RbacPolicy.object_id).where(
            RbacPolicy.target_project.in_((EVERYBODY, project_id)),
            RbacPolicy.action.in_(actions or (SHARED,)),
        )
    )
    return found


def is_granted(session: Session, object_id: str, project_id: str, *actions: str) -> bool:
    """As ``granted``, of one object, for a verb that holds it locked."""
    statement = select(RbacPolicy.id).where(
        RbacPolicy.object_id == object_id, granted(RbacPolicy.object_id, project_id, *actions)
    )
    return session.scalar(statement.limit(1)) is not None


def targets(session: Session, object_ids: Iterable[str], action: str = SHARED) -> dict[str, set[str]]:
    """To whom objects are open, by their ids."""
    found: dict[str, set[str]] = {}
    statement = select(RbacPolicy.object_id, RbacPolicy.target_project).where(
        RbacPolicy.object_id.in_(list(object_ids)), RbacPolicy.action == action
    )
    for object_id, project_id in session.execute(statement):
        found.setdefault(object_id, set()).add(project_id)
    return found


def open_to_all(session: Session, object_type: str, row: Any, action: str = SHARED) -> None:
    """Writes the wildcard policy of an object, if it has none; the object is locked, or new."""
    if EVERYBODY not in targets(session, [row.id], action).get(row.id, ()):
        session.add(
            RbacPolicy(
                project_id=row.project_id,
                object_type=object_type,
                object_id=row.id,
                action=action,
                target_project=EVERYBODY,
            )
        )
        session.flush()


def close_to_all(session: Session, object_id: str) -> None:
    """Removes the wildcard policy that shares an object; those of single projects stay."""
    session.execute(
        delete(RbacPolicy).where(
            RbacPolicy.object_id == object_id,
            RbacPolicy.action == SHARED,
            RbacPolicy.target_project == EVERYBODY,
        )
    )


def forget(session: Session, object_id: str, *actions: str) -> None:
    """Removes the policies of an object that goes; with ``actions``, those alone."""
    statement = delete(RbacPolicy).where(RbacPolicy.object_id == object_id)
    session.execute(statement.where(RbacPolicy.action.in_(actions)) if actions else statement)
