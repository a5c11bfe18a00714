"""The desired router: a namespace of one host, joined to its networks by ports of its own (taken by ``ovs_agent``)."""

from typing import ClassVar, Literal

import msgspec

from contract.document import Document
from contract.qos import Limit

AdvertisedMode = Literal["slaac", "dhcpv6-stateful", "dhcpv6-stateless"]


class AdvertisedPrefix(msgspec.Struct, frozen=True, kw_only=True):
    """An IPv6 prefix that the router tells by router advertisements. ``mode`` is the subnet's ``ipv6_ra_mode``."""

    cidr: str
    mode: AdvertisedMode
    dns_nameservers: tuple[str, ...] = ()


class RouterInterface(msgspec.Struct, frozen=True, kw_only=True):
    """A port of the router on an inner network; its ``port`` document is on the same host.

    ``addresses`` are with prefix length, as is every address of this document that has a link. ``ipv4_scope`` and
    ``ipv6_scope`` are the address scopes of the network, empty for none: between two scopes nothing is routed.
    """

    port_id: str
    network_id: str
    mac_address: str
    mtu: int
    addresses: tuple[str, ...] = ()
    ipv4_scope: str = ""
    ipv6_scope: str = ""
    advertised: tuple[AdvertisedPrefix, ...] = ()


class RouterGateway(msgspec.Struct, frozen=True, kw_only=True):
    """A port of the router on an external network. ``next_hops`` are the gateways of its subnets.

    ``is_snat``: what comes from inside and has no floating IP leaves with the first IPv4 address of the port; what is
    of the gateway's own scope leaves as it is. ``limits`` are of bandwidth, for each of its IPv4 addresses.
    """

    port_id: str
    network_id: str
    mac_address: str
    mtu: int
    addresses: tuple[str, ...] = ()
    ipv4_scope: str = ""
    ipv6_scope: str = ""
    next_hops: tuple[str, ...] = ()
    is_snat: bool = True
    limits: tuple[Limit, ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """An extra route: a prefix, and an address on one of the router's links."""

    destination: str
    next_hop: str


class FloatingIp(msgspec.Struct, frozen=True, kw_only=True):
    """An outer IPv4 address that stands for an inner one, in both directions."""

    id: str
    floating_ip_address: str
    fixed_ip_address: str


class AddressLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of bandwidth of an outer address, whether it stands for an inner one or ports of it are forwarded."""

    address: str
    limits: tuple[Limit, ...]


class PortForwarding(msgspec.Struct, frozen=True, kw_only=True):
    """A port, or a range of equal length, of an outer address that leads to one of an inner address.

    ``external_port`` and ``internal_port`` are single ports or ranges ``first:last``.
    """

    id: str
    protocol: Literal["tcp", "udp", "icmp", "icmp6", "sctp", "dccp"]
    floating_ip_address: str
    external_port: str
    internal_ip_address: str
    internal_port: str


class Router(Document, frozen=True, kw_only=True):
    """A router that this host carries. One that is not up routes nothing and keeps its addresses off the wire."""

    KIND: ClassVar[str] = "router"

    project_id: str
    is_admin_up: bool = True
    interfaces: tuple[RouterInterface, ...] = ()
    gateways: tuple[RouterGateway, ...] = ()
    routes: tuple[Route, ...] = ()
    floating_ips: tuple[FloatingIp, ...] = ()
    floating_ip_limits: tuple[AddressLimits, ...] = ()
    port_forwardings: tuple[PortForwarding, ...] = ()


class RouterObserved(msgspec.Struct, frozen=True, kw_only=True):
    """``is_active``: the namespace routes as the document says."""

    is_active: bool
