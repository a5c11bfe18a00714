"""Rows of subnets."""

import ipaddress

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, new_uuid
from controller.network.addresses import Prefix, Range
from controller.network.standard import Standard

#: Modes in which guests make their addresses themselves, of prefix and MAC.
AUTO_ADDRESS_MODES = ("slaac", "dhcpv6-stateless")


class Subnet(Standard, Base):
    """A subnet. ``service_types`` are the owners of ports that it is for, all if there are none.

    ``cursor`` is the position after the address given last: the search begins there.
    """

    __tablename__ = "subnets"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    network_id: Mapped[Id] = mapped_column(ForeignKey("networks.id"), index=True)
    name: Mapped[str] = mapped_column(String(255), default="", index=True)
    ip_version: Mapped[int]
    cidr: Mapped[str] = mapped_column(String(64))
    gateway_ip: Mapped[str | None] = mapped_column(String(64))
    is_dhcp: Mapped[bool] = mapped_column(default=True)
    ipv6_ra_mode: Mapped[str | None] = mapped_column(String(16))
    ipv6_address_mode: Mapped[str | None] = mapped_column(String(16))
    allocation_pools: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    dns_nameservers: Mapped[list[str]] = mapped_column(JSON, default=list)
    host_routes: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    subnetpool_id: Mapped[Id | None] = mapped_column(ForeignKey("subnet_pools.id"), index=True)
    service_types: Mapped[list[str]] = mapped_column(JSON, default=list)
    cursor: Mapped[str] = mapped_column(String(32), default="")

    @property
    def prefix(self) -> Prefix:
        """The CIDR, parsed."""
        return ipaddress.ip_network(self.cidr)

    @property
    def pools(self) -> list[Range]:
        """The allocation pools, parsed."""
        return [
            (int(ipaddress.ip_address(p["start"])), int(ipaddress.ip_address(p["end"])))
            for p in self.allocation_pools
        ]

    @property
    def is_auto_address(self) -> bool:
        """Whether guests make their addresses themselves: they are given none, or a router tells them to."""
        return bool({self.ipv6_address_mode, self.ipv6_ra_mode} & set(AUTO_ADDRESS_MODES))
