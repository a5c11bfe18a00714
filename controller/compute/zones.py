"""Host aggregates as rows, and the availability zones that they make."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db import agents
from controller.db.columns import Base, Id, Timestamps, new_uuid

#: Where a host is that no aggregate puts elsewhere.
DEFAULT_ZONE = "nova"
#: The metadata item that makes an aggregate a zone.
ZONE = "availability_zone"


class Aggregate(Base, Timestamps):
    """A group of hosts."""

    __tablename__ = "aggregates"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    uuid: Mapped[Id] = mapped_column(unique=True, default=new_uuid)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    meta: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class AggregateHost(Base):
    """A host in an aggregate."""

    __tablename__ = "aggregate_hosts"

    aggregate_id: Mapped[int] = mapped_column(
        ForeignKey("aggregates.id", ondelete="CASCADE"), primary_key=True
    )
    host: Mapped[Id] = mapped_column(primary_key=True)


def of_hosts(session: Session) -> dict[str, str]:
    """The zones of hosts that are in another one than the default. One query."""
    rows = session.execute(
        select(AggregateHost.host, Aggregate.meta).join(Aggregate, Aggregate.id == AggregateHost.aggregate_id)
    )
    return {host: str(meta[ZONE]) for host, meta in rows if meta.get(ZONE)}


def of_host(session: Session, host: str) -> str:
    """The zone of one host."""
    return of_hosts(session).get(host, DEFAULT_ZONE)


def known(session: Session) -> set[str]:
    """Zones that have a host."""
    zones = of_hosts(session)
    return {zones.get(agent.host, DEFAULT_ZONE) for agent in agents.of_kind(session, "nova-compute")}
