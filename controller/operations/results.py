"""How imperatives ended on a host: noted when reported, read by the step that waits for it."""

import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from contract.report import OperationResult as Reported
from controller.db.columns import Base, Id, UtcDateTime, now


class ImperativeResult(Base):
    """One imperative that a host carried out, or gave up with ``fault``."""

    __tablename__ = "imperative_results"

    operation_id: Mapped[Id] = mapped_column(primary_key=True)
    fault: Mapped[str | None] = mapped_column(Text)
    reported_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, default=now)


def note(session: Session, results: tuple[Reported, ...]) -> None:
    """Takes results in; repeats change nothing."""
    for result in results:
        if session.get(ImperativeResult, result.operation_id) is None:
            fault = result.fault.message if result.fault else None
            session.add(ImperativeResult(operation_id=result.operation_id, fault=fault))


def of(session: Session, operation_id: str) -> ImperativeResult | None:
    """The result of an operation's imperative; None while there is none."""
    return session.get(ImperativeResult, operation_id, populate_existing=True)
