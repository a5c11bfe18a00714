"""Agents of all hosts: who is there, what they can do, and how far their set of documents is.

Written by the engine from heartbeats, read by the services that show agents, services and hypervisors.
"""

import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db.columns import Base, Id, UtcDateTime, now

#: An agent that was silent for longer counts as down (three heartbeats).
DOWN_AFTER_S = 15.0


class Host(Base):
    """A host that may speak on the bus; ``sealed_key`` is its secret under the master key."""

    __tablename__ = "hosts"

    name: Mapped[Id] = mapped_column(primary_key=True)
    sealed_key: Mapped[str] = mapped_column(String(512))
    created_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, default=now)


class Agent(Base):
    """One agent of one host. ``revision`` grows with every change of its set of documents: bumping it is
    the lock under which that set is changed. ``number`` is the small id that old microversions show."""

    __tablename__ = "agents"
    __table_args__ = (UniqueConstraint("host", "agent"), Base.__table_args__)

    id: Mapped[Id] = mapped_column(primary_key=True)
    host: Mapped[Id]
    agent: Mapped[str] = mapped_column(String(32))
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    capabilities: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    frozen: Mapped[str] = mapped_column(String(512), default="")
    is_disabled: Mapped[bool] = mapped_column(default=False)
    disabled_reason: Mapped[str | None] = mapped_column(String(255))
    is_forced_down: Mapped[bool] = mapped_column(default=False)
    number: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)

    @property
    def is_up(self) -> bool:
        """Whether a heartbeat came lately and nobody declared the agent down."""
        return not self.is_forced_down and is_fresh(self.last_seen_at)


def is_fresh(last_seen_at: datetime.datetime | None) -> bool:
    """Whether a heartbeat at this moment still counts as alive."""
    return last_seen_at is not None and (now() - last_seen_at).total_seconds() < DOWN_AFTER_S


def of_kind(session: Session, agent: str) -> list[Agent]:
    """All agents of a kind such as "nova-compute", by host."""
    return list(session.scalars(select(Agent).where(Agent.agent == agent).order_by(Agent.host)))
