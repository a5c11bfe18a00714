"""Rows of ports, their addresses and groups."""

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, new_uuid
from controller.network.standard import Standard

#: Owner of the port that answers DHCP and metadata on every host of a network.
SERVICE_OWNER = "network:distributed"
#: Owners whose ports keep nobody from deleting a network or subnet.
AUTO_DELETED_OWNERS = ("network:dhcp", SERVICE_OWNER)
#: Owners of the ports that a router has inside and outside.
INTERFACE_OWNER = "network:router_interface"
GATEWAY_OWNER = "network:router_gateway"
#: Owners whose ports are a router's.
ROUTER_OWNERS = (INTERFACE_OWNER, GATEWAY_OWNER, "network:router_interface_distributed")
#: Owner of the port that holds the address of a floating IP; it is on no host.
FLOATING_IP_OWNER = "network:floatingip"
#: Owners whose ports have those addresses alone that they were given: no guest is behind them to make one.
GIVEN_ADDRESS_OWNERS = (*ROUTER_OWNERS, FLOATING_IP_OWNER)


class Port(Standard, Base):
    """A port. ``server_id`` is set by compute alone, ``router_id`` by the verbs of routers: what users write
    into ``device_id`` binds nothing.

    ``binding_host`` is empty while the port is on no host. ``nic_index`` orders the ports of a server.
    """

    __tablename__ = "ports"
    __table_args__ = (
        UniqueConstraint("network_id", "mac_address"),
        Index("ix_ports_binding_host", "binding_host"),
        Base.__table_args__,
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    network_id: Mapped[Id] = mapped_column(ForeignKey("networks.id"))
    name: Mapped[str] = mapped_column(String(255), default="", index=True)
    mac_address: Mapped[str] = mapped_column(String(17))
    is_admin_up: Mapped[bool] = mapped_column(default=True)
    status: Mapped[str] = mapped_column(String(16), default="DOWN")
    device_id: Mapped[str] = mapped_column(String(255), default="", index=True)
    device_owner: Mapped[str] = mapped_column(String(255), default="")
    is_port_security: Mapped[bool] = mapped_column(default=True)
    allowed_address_pairs: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    extra_dhcp_opts: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    dns_name: Mapped[str] = mapped_column(String(255), default="")
    dns_domain: Mapped[str] = mapped_column(String(255), default="")
    binding_host: Mapped[Id] = mapped_column(default="")
    binding_profile: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    vnic_type: Mapped[str] = mapped_column(String(16), default="normal")
    server_id: Mapped[Id | None] = mapped_column(index=True)
    router_id: Mapped[Id | None] = mapped_column(index=True)
    is_created_by_server: Mapped[bool] = mapped_column(default=False)
    nic_index: Mapped[int] = mapped_column(default=0)
    nic_tag: Mapped[str | None] = mapped_column(String(255))
    qos_policy_id: Mapped[Id | None] = mapped_column(ForeignKey("qos_policies.id"), index=True)


class PortAddress(Base):
    """One address of one port. The key is what makes an address of a subnet unique; ``ordinal`` is the
    moment at which it was given (nanoseconds), by which a port's addresses are shown in order."""

    __tablename__ = "port_addresses"

    subnet_id: Mapped[Id] = mapped_column(ForeignKey("subnets.id"), primary_key=True)
    position: Mapped[str] = mapped_column(String(32), primary_key=True)
    port_id: Mapped[Id] = mapped_column(ForeignKey("ports.id", ondelete="CASCADE"), index=True)
    ip_address: Mapped[str] = mapped_column(String(45), index=True)
    ordinal: Mapped[int] = mapped_column(BigInteger)


class PortGroup(Base):
    """That a port is in a security group."""

    __tablename__ = "port_security_groups"

    port_id: Mapped[Id] = mapped_column(ForeignKey("ports.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[Id] = mapped_column(ForeignKey("security_groups.id"), primary_key=True, index=True)
