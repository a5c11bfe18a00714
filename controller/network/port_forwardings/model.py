"""Rows of port forwardings."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, new_uuid
from controller.network.port_forwardings.ranges import Range, shown
from controller.network.standard import Standard


class PortForwarding(Standard, Base):
    """A port forwarding, of the project that has its floating IP. A single port is a range of one."""

    __tablename__ = "port_forwardings"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    floatingip_id: Mapped[Id] = mapped_column(ForeignKey("floating_ips.id"), index=True)
    internal_port_id: Mapped[Id] = mapped_column(ForeignKey("ports.id"), index=True)
    internal_ip_address: Mapped[str] = mapped_column(String(45))
    protocol: Mapped[str] = mapped_column(String(8))
    external_first: Mapped[int]
    external_last: Mapped[int]
    internal_first: Mapped[int]
    internal_last: Mapped[int]

    @property
    def external(self) -> Range:
        """Outer ports."""
        return self.external_first, self.external_last

    @property
    def internal(self) -> Range:
        """Inner ports."""
        return self.internal_first, self.internal_last

    @property
    def external_port(self) -> str:
        """Outer ports as hosts are told them: one, or "first:last"."""
        return shown(self.external)

    @property
    def internal_port(self) -> str:
        """Inner ports as hosts are told them."""
        return shown(self.internal)
