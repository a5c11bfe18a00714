"""Rows of trunks and subports, and how a port is found in them."""

from collections.abc import Sequence

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db.columns import Base, Id, new_uuid
from controller.network import refusals
from controller.network.standard import Standard


class Trunk(Standard, Base):
    """A trunk. One that is not up is not changed nor deleted; its traffic goes on."""

    __tablename__ = "trunks"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    name: Mapped[str] = mapped_column(String(255), default="", index=True)
    is_admin_up: Mapped[bool] = mapped_column(default=True)
    port_id: Mapped[Id] = mapped_column(ForeignKey("ports.id"), unique=True)


class SubPort(Base):
    """That frames of a trunk with this tag are those of a port."""

    __tablename__ = "trunk_subports"
    __table_args__ = (UniqueConstraint("trunk_id", "segmentation_id"), Base.__table_args__)

    port_id: Mapped[Id] = mapped_column(ForeignKey("ports.id"), primary_key=True)
    trunk_id: Mapped[Id] = mapped_column(ForeignKey("trunks.id"))
    segmentation_id: Mapped[int]


def children(session: Session, parent_ids: Sequence[str]) -> list[str]:
    """The subports of parents."""
    statement = select(SubPort.port_id).join(Trunk).where(Trunk.port_id.in_(parent_ids))
    return list(session.scalars(statement.order_by(SubPort.port_id)))


def check_apart(session: Session, port_id: str) -> None:
    """Refuses what a port of a trunk may not undergo. Raises Conflict."""
    subport = session.get(SubPort, port_id)
    if subport is not None:
        raise refusals.in_use(
            f"Port {port_id} is currently a subport for trunk {subport.trunk_id}.", "PortInUseAsSubPort"
        )
    trunk_id = session.scalar(select(Trunk.id).where(Trunk.port_id == port_id))
    if trunk_id is not None:
        raise refusals.in_use(
            f"Port {port_id} is currently a parent port for trunk {trunk_id}.", "PortInUseAsTrunkParent"
        )


def place_of(session: Session, port_id: str) -> tuple[str, int] | None:
    """Parent and tag of a subport; None for another port."""
    statement = select(Trunk.port_id, SubPort.segmentation_id).join(SubPort).where(SubPort.port_id == port_id)
    found = session.execute(statement).one_or_none()
    return (found[0], found[1]) if found else None
