"""Claiming an operation under a lease, and giving it back: compare-and-swap on its row.

Time is the database's: hosts of engines may disagree about the clock.
"""

import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, update
from sqlalchemy.orm import Session

from controller.operations.model import Operation

#: How long a worker is believed to be at work without a word from it.
LEASE_S = 30


def database_now(session: Session) -> datetime.datetime:
    """The database's clock in UTC."""
    if session.get_bind().dialect.name == "sqlite":
        text = session.scalar(select(func.strftime("%Y-%m-%d %H:%M:%f", "now")))
        return datetime.datetime.fromisoformat(str(text))
    moment: datetime.datetime = session.scalar(select(func.utc_timestamp(6)))  # type: ignore[assignment]
    return moment


def due(session: Session) -> Select[tuple[str]]:
    """Ids of operations that a worker may take now, oldest first. The clock is read by the same statement."""
    clock: ColumnElement[Any] = func.utc_timestamp(6)
    if session.get_bind().dialect.name == "sqlite":
        clock = func.strftime("%Y-%m-%d %H:%M:%f", "now")
    return select(Operation.id).where(_is_due(clock)).order_by(Operation.updated_at).limit(16)


def claim(session: Session, operation_id: str, lease_s: int = LEASE_S) -> Operation | None:
    """Takes one due operation; None if another worker was faster."""
    at = database_now(session)
    taken = session.execute(
        update(Operation)
        .where(Operation.id == operation_id, _is_due(at))
        .values(
            state="running",
            lease_epoch=Operation.lease_epoch + 1,
            lease_until=at + datetime.timedelta(seconds=lease_s),
            updated_at=at,
        )
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        return None
    return session.get(Operation, operation_id, populate_existing=True)


def renew(session: Session, operation: Operation, lease_s: int = LEASE_S) -> bool:
    """Prolongs a lease that is still held."""
    at = database_now(session)
    kept = session.execute(
        update(Operation)
        .where(
            Operation.id == operation.id,
            Operation.lease_epoch == operation.lease_epoch,
            Operation.state == "running",
        )
        .values(lease_until=at + datetime.timedelta(seconds=lease_s))
    )
    return bool(kept.rowcount == 1)  # type: ignore[attr-defined]


def rest(session: Session, operation: Operation, wake_at: datetime.datetime | None) -> None:
    """Puts a waiting operation down; it is ready at once if a word came while the step looked."""
    session.execute(
        update(Operation)
        .where(
            Operation.id == operation.id,
            Operation.lease_epoch == operation.lease_epoch,
            Operation.state == "running",
        )
        .values(
            state=case((Operation.wakes == operation.wakes, "waiting"), else_="ready"),
            wake_at=case((Operation.wakes == operation.wakes, wake_at), else_=None),
            lease_until=None,
        )
    )


def _is_due(at: datetime.datetime | ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(
        and_(Operation.state == "ready", or_(Operation.wake_at.is_(None), Operation.wake_at <= at)),
        and_(Operation.state == "running", Operation.lease_until < at),
        and_(Operation.state == "waiting", Operation.wake_at <= at),
    )
