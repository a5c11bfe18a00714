"""Rows of networks. A network has one segment, whose columns are here."""

from collections.abc import Collection

from sqlalchemy import JSON, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db.columns import Base, Id, new_uuid
from controller.network.standard import Standard


class Network(Standard, Base):
    """A network. ``is_external`` says that routers may have gateways on it; to whom policies open it is theirs.
    ``is_default`` is true for the external network that topologies are made on, and for others unset: there is one.
    ``segment_key`` is unique where a segment must be: "vxlan::5", "vlan:physnet1:7"."""

    __tablename__ = "networks"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    name: Mapped[str] = mapped_column(String(255), default="", index=True)
    is_admin_up: Mapped[bool] = mapped_column(default=True)
    is_external: Mapped[bool] = mapped_column(default=False)
    is_default: Mapped[bool | None] = mapped_column(unique=True)
    is_port_security: Mapped[bool] = mapped_column(default=True)
    mtu: Mapped[int]
    dns_domain: Mapped[str] = mapped_column(String(255), default="")
    availability_zone_hints: Mapped[list[str]] = mapped_column(JSON, default=list)
    network_type: Mapped[str] = mapped_column(String(16))
    physical_network: Mapped[str | None] = mapped_column(String(64))
    segmentation_id: Mapped[int | None]
    segment_key: Mapped[str | None] = mapped_column(String(96), unique=True)
    qos_policy_id: Mapped[Id | None] = mapped_column(ForeignKey("qos_policies.id"), index=True)


def network_policies(session: Session, network_ids: Collection[str]) -> dict[str, str | None]:
    """The QoS policy of each network that has one."""
    statement = select(Network.id, Network.qos_policy_id).where(
        Network.id.in_(network_ids), Network.qos_policy_id.is_not(None)
    )
    return {row.id: row.qos_policy_id for row in session.execute(statement)}
