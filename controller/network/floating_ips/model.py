"""Rows of floating IPs."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, new_uuid
from controller.network.standard import Standard


class FloatingIp(Standard, Base):
    """A floating IP. ``floating_port_id`` holds its address on the external network.

    ``port_id``, ``fixed_ip_address`` and ``router_id`` are set together: what it stands for, and the router
    that does it.
    """

    __tablename__ = "floating_ips"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    floating_network_id: Mapped[Id] = mapped_column(ForeignKey("networks.id"), index=True)
    floating_port_id: Mapped[Id] = mapped_column(ForeignKey("ports.id"), unique=True)
    floating_ip_address: Mapped[str] = mapped_column(String(45), index=True)
    port_id: Mapped[Id | None] = mapped_column(ForeignKey("ports.id"), index=True)
    fixed_ip_address: Mapped[str | None] = mapped_column(String(45))
    router_id: Mapped[Id | None] = mapped_column(ForeignKey("routers.id"), index=True)
    qos_policy_id: Mapped[Id | None] = mapped_column(ForeignKey("qos_policies.id"), index=True)
    status: Mapped[str] = mapped_column(String(16), default="DOWN")
