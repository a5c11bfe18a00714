"""Operations as rows, and their history: what ``os-instance-actions`` shows.

ready ──claimed──► running ──step waits──► waiting ──woken or due──► ready
                      │──last step done──► done
                      │──step failed or late──► undoing (claimed the same way) ──► failed
any but done and failed ──superseded by another operation──► cancelled
"""

import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, UtcDateTime, now

#: States in which an operation still has work to do.
LIVE = ("ready", "running", "waiting")


class Operation(Base):
    """One transition of one resource. ``subject`` is what it is about, as "server:<id>".

    ``direction`` is do or undo; ``step`` the index of the step that is next. ``input`` is what the verb
    gave, ``memory`` what steps noted for later ones. ``lease_epoch`` grows with each claim: a write of a
    step counts only under the epoch that it was claimed with. ``wakes`` counts words about the subject, so
    that one which comes while a step looks is not lost.
    """

    __tablename__ = "operations"
    __table_args__ = (
        Index("ix_operations_subject_state", "subject", "state"),
        Index("ix_operations_state_wake_at", "state", "wake_at"),
        Base.__table_args__,
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(96))
    project_id: Mapped[Id]
    user_id: Mapped[Id]
    request_id: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(16), default="ready")
    direction: Mapped[str] = mapped_column(String(8), default="do")
    step: Mapped[int] = mapped_column(default=0)
    input: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    memory: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    fault: Mapped[str | None] = mapped_column(Text)
    fault_details: Mapped[str | None] = mapped_column(Text)
    wakes: Mapped[int] = mapped_column(default=0)
    lease_epoch: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)
    wake_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)
    step_deadline: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, default=now)
    finished_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)


class OperationEvent(Base):
    """One step of one operation, as it went."""

    __tablename__ = "operation_events"

    id: Mapped[Id] = mapped_column(primary_key=True)
    operation_id: Mapped[Id] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(96))
    started_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, default=now)
    finished_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)
    result: Mapped[str | None] = mapped_column(String(16))
    fault: Mapped[str | None] = mapped_column(Text)
