"""The desired network of a host: subnets, and the service port that answers DHCP and metadata there."""

from typing import ClassVar

import msgspec

from contract.document import Document


class Subnet(msgspec.Struct, frozen=True, kw_only=True):
    """A subnet as DHCP tells it. ``host_routes`` are (destination, next hop)."""

    id: str
    cidr: str
    ip_version: int
    gateway_ip: str | None = None
    is_dhcp: bool = True
    dns_nameservers: tuple[str, ...] = ()
    host_routes: tuple[tuple[str, str], ...] = ()
    ipv6_address_mode: str | None = None
    ipv6_ra_mode: str | None = None


class ServicePort(msgspec.Struct, frozen=True, kw_only=True):
    """The network's DHCP port. Every host with a port on the network answers at the same MAC and
    addresses; its frames never leave the host. ``addresses`` are with prefix length."""

    id: str
    mac_address: str
    addresses: tuple[str, ...] = ()


class Network(Document, frozen=True, kw_only=True):
    """A network that has ports on this host."""

    KIND: ClassVar[str] = "network"

    project_id: str
    mtu: int
    subnets: tuple[Subnet, ...] = ()
    service_port: ServicePort | None = None
    dns_domain: str = ""
