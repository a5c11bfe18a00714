"""Rows of subnet pools."""

import ipaddress

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, new_uuid
from controller.network.addresses import Prefix
from controller.network.standard import Standard


class SubnetPool(Standard, Base):
    """A subnet pool. ``default_of`` is the IP version whose default pool it is: there is one of each.

    ``default_quota`` counts addresses of IPv4, prefixes of 64 bits of IPv6.
    """

    __tablename__ = "subnet_pools"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    name: Mapped[str] = mapped_column(String(255), default="", index=True)
    ip_version: Mapped[int]
    prefixes: Mapped[list[str]] = mapped_column(JSON, default=list)
    default_prefixlen: Mapped[int]
    min_prefixlen: Mapped[int]
    max_prefixlen: Mapped[int]
    default_quota: Mapped[int | None]
    default_of: Mapped[int | None] = mapped_column(unique=True)
    address_scope_id: Mapped[Id | None] = mapped_column(ForeignKey("address_scopes.id"), index=True)

    @property
    def networks(self) -> list[Prefix]:
        """The prefixes, parsed."""
        return [ipaddress.ip_network(text) for text in self.prefixes]
