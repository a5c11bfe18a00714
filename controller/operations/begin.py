"""Starting operations, waking them, and putting one in place of others: parts of other transactions."""

from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from controller.db import session as sessions
from controller.db.columns import new_uuid, now
from controller.operations.model import LIVE, Operation
from controller.operations.step import Definition
from runtime import log


def begin(
    session: Session, definition: Definition, subject: str, owner: tuple[str, str], **given: Any
) -> Operation:
    """Writes the row of a new operation on ``subject``; ``owner`` is (project id, user id)."""
    operation = Operation(
        id=new_uuid(),
        kind=definition.kind,
        action=definition.action,
        subject=subject,
        project_id=owner[0],
        user_id=owner[1],
        request_id=log.request_id(),
        input=given,
        memory={},
    )
    session.add(operation)
    sessions.hinted(session)
    return operation


def supersede(session: Session, subject: str, message: str) -> list[str]:
    """Cancels every live operation on ``subject``: workers on them lose their lease. Returns their kinds."""
    live = session.scalars(
        select(Operation).where(Operation.subject == subject, Operation.state.in_(LIVE)).with_for_update()
    ).all()
    for operation in live:
        operation.state = "cancelled"
        operation.lease_epoch += 1
        operation.fault = message
        operation.finished_at = operation.updated_at = now()
    return [o.kind for o in live]


def wake(session: Session, *subjects: str) -> None:
    """Something about these subjects changed: operations that wait look again. Cheap when none does."""
    if not subjects:
        return
    woken = session.execute(
        update(Operation)
        .where(Operation.subject.in_(subjects), Operation.state.in_(LIVE))
        .values(
            wakes=Operation.wakes + 1,
            state=case((Operation.state == "waiting", "ready"), else_=Operation.state),
            # a waiting operation's wake_at is its deadline: left there, it would not be due before
            wake_at=None,
        )
    )
    if woken.rowcount:  # type: ignore[attr-defined]
        sessions.hinted(session)


def live_kinds(session: Session, subject: str) -> list[str]:
    """Kinds of the operations under way on a subject."""
    return list(
        session.scalars(select(Operation.kind).where(Operation.subject == subject, Operation.state.in_(LIVE)))
    )
