"""The way of a packet as the rows say it: from a port to whoever is next, and across a router.

For ``controller-manage trace-packet``. What the flows on the way make of it, hosts are asked for.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.router import Router, RouterGateway, RouterInterface
from controller.network.addresses import Ip, Prefix
from controller.network.floating_ips.model import FloatingIp
from controller.network.networks.model import Network
from controller.network.ports import service
from controller.network.ports.model import GATEWAY_OWNER, Port, PortAddress
from controller.network.routers import document as router_document
from controller.network.subnets.model import Subnet

_Link = RouterInterface | RouterGateway
#: Where guests ask for metadata.
_METADATA = ("169.254.169.254", "fe80::a9fe:a9fe")
#: Stands for a neighbour that is none of ours, as on an external network.
STRANGER = "02:00:00:00:00:fe"


class NoWayError(Exception):
    """The packet goes nowhere from here; the message says why."""


@dataclass(frozen=True)
class Packet:
    """What a trace begins with. Ports are of TCP and UDP."""

    source: str
    destination: str
    protocol: Literal["tcp", "udp", "icmp"]
    source_port: int
    destination_port: int


@dataclass(frozen=True)
class Leg:
    """A packet that a port sends on its network to the neighbour with ``destination_mac``; ``because`` says why him."""

    port: Port
    packet: Packet
    destination_mac: str
    because: str


def from_port(session: Session, port: Port, packet: Packet) -> Leg:
    """To the destination itself if it is on the port's network, else to its gateway. Raises NoWayError."""
    if packet.destination in _METADATA:
        answering = service.find(session, port.network_id)
        if answering is None:
            raise NoWayError("nothing answers for metadata on this network: it has no port with DHCP")
        return Leg(port, packet, answering.mac_address, "metadata is answered on the port's own host")
    to = ipaddress.ip_address(packet.destination)
    subnets = session.scalars(select(Subnet).where(Subnet.network_id == port.network_id)).all()
    if any(to in subnet.prefix for subnet in subnets):
        return Leg(port, packet, _mac(session, port.network_id, to), f"{to} is on the port's network")
    source = ipaddress.ip_address(packet.source)
    home = next((subnet for subnet in subnets if source in subnet.prefix), None)
    if home is None:
        raise NoWayError(f"{source} is of no subnet of the port's network: the guest has no route for it")
    routes = {route["destination"]: route["nexthop"] for route in home.host_routes}
    if home.gateway_ip:
        routes.setdefault("::/0" if home.ip_version == 6 else "0.0.0.0/0", home.gateway_ip)
    route = _best(routes, to)
    if route is None:
        raise NoWayError(f"subnet {home.id} has neither a gateway nor a route to {to}")
    hop = ipaddress.ip_address(routes[route])
    return Leg(port, packet, _mac(session, port.network_id, hop), f"{route} is by {hop}")


def across(session: Session, came_by: Port, packet: Packet) -> Leg:
    """What the router makes of a packet that came by one of its ports, as its host is told it. Raises NoWayError."""
    router = _told(session, came_by.router_id or "")
    arrived = next(leg for leg in _links(router) if leg.port_id == came_by.id)
    packet, inwards = _translated_inwards(router, packet)
    to = ipaddress.ip_address(packet.destination)
    if any(str(to) == text.partition("/")[0] for leg in _links(router) for text in leg.addresses):
        raise NoWayError(f"{to} is the router's own address: it answers itself")
    leaving, hop, because = _route(router, to)
    is_out = isinstance(leaving, RouterGateway) and not isinstance(arrived, RouterGateway) and to.version == 4
    outwards = ""
    if is_out and not inwards:
        packet, outwards = _translated_outwards(router, arrived, leaving, packet)
    if not (inwards or outwards):
        _check_walls(arrived, leaving, packet)
    port = session.get_one(Port, leaving.port_id)
    told = "; ".join(filter(None, (inwards, because, outwards)))
    return Leg(port, packet, _mac(session, port.network_id, hop), told)


def _check_walls(arrived: _Link, leaving: _Link, packet: Packet) -> None:
    """What is not translated stays in its address scope, and comes in only where its scope is known outside.

    Raises NoWayError.
    """
    version = ipaddress.ip_address(packet.destination).version
    scope = _scope(arrived, version)
    if scope != _scope(leaving, version):
        ends = f"{packet.source} and {packet.destination}"
        raise NoWayError(f"{ends} are of different address scopes: the router keeps them apart")
    is_from_outside = isinstance(arrived, RouterGateway) and arrived.is_snat and version == 4
    if is_from_outside and (not scope or isinstance(leaving, RouterGateway)):
        raise NoWayError(f"{packet.destination} is not known outside: only translation leads in")


def _told(session: Session, router_id: str) -> Router:
    """The router's document. Raises NoWayError."""
    (host,) = router_document.DOCUMENT.hosts(session, router_id) or {""}
    found = router_document.DOCUMENT.render(session, host, router_id) if host else None
    if not isinstance(found, Router):
        raise NoWayError(f"router {router_id} is on no host")
    if not found.is_admin_up:
        raise NoWayError(f"router {router_id} is not up")
    return found


def _links(router: Router) -> tuple[_Link, ...]:
    return *router.interfaces, *router.gateways


def _scope(link: _Link, version: int) -> str:
    return link.ipv4_scope if version == 4 else link.ipv6_scope


def _translated_inwards(router: Router, packet: Packet) -> tuple[Packet, str]:
    """To a floating IP's, or a port forwarding's, inner address, and the words for it."""
    for floating in router.floating_ips:
        if floating.floating_ip_address == packet.destination:
            fixed = floating.fixed_ip_address
            return replace(packet, destination=fixed), f"floating IP {packet.destination} stands for {fixed}"
    for one in router.port_forwardings:
        if (one.floating_ip_address, one.protocol) == (packet.destination, packet.protocol):
            first, _, last = one.external_port.partition(":")
            if int(first) <= packet.destination_port <= int(last or first):
                inner = int(one.internal_port.partition(":")[0]) + packet.destination_port - int(first)
                place = f"{one.internal_ip_address}:{inner}"
                told = f"{packet.destination}:{packet.destination_port} is forwarded to {place}"
                return replace(packet, destination=one.internal_ip_address, destination_port=inner), told
    return packet, ""


def _translated_outwards(
    router: Router, arrived: _Link, leaving: _Link, packet: Packet
) -> tuple[Packet, str]:
    """From its floating IP, else from the gateway's own address, and the words for it."""
    for floating in router.floating_ips:
        if floating.fixed_ip_address == packet.source:
            outer = floating.floating_ip_address
            return replace(packet, source=outer), f"floating IP: {packet.source} leaves as {outer}"
    is_known_outside = leaving.ipv4_scope and leaving.ipv4_scope == arrived.ipv4_scope
    own = next((text.partition("/")[0] for text in leaving.addresses if ":" not in text), None)
    if own and isinstance(leaving, RouterGateway) and leaving.is_snat and not is_known_outside:
        return replace(packet, source=own), f"SNAT: {packet.source} leaves as {own}"
    return packet, ""


def _route(router: Router, to: Ip) -> tuple[_Link, Ip, str]:
    """By which link the router reaches an address, by which neighbour, and why. Raises NoWayError."""
    links = {str(_prefix(text)): link for link in _links(router) for text in link.addresses}
    hops = {route.destination: route.next_hop for route in router.routes}
    for text in (text for gateway in router.gateways for text in gateway.next_hops):
        hops.setdefault("::/0" if ":" in text else "0.0.0.0/0", text)
    best = _best([*links, *hops], to)
    if best is None:
        raise NoWayError(f"router {router.id} has no route to {to}")
    if best in links:
        return links[best], to, f"{best} is on a link of the router"
    hop = ipaddress.ip_address(hops[best])
    by = _best(links, hop)
    if by is None:
        raise NoWayError(f"the router's route {best} is by {hop}, which is on none of its links")
    return links[by], hop, f"{best} is by {hop}"


def _best(routes: Iterable[str], to: Ip) -> str | None:
    """The narrowest of the prefixes that hold an address."""
    holding = [text for text in routes if to in _prefix(text)]
    return max(holding, key=lambda text: _prefix(text).prefixlen, default=None)


def _prefix(text: str) -> Prefix:
    return ipaddress.ip_network(text, strict=False)


def _mac(session: Session, network_id: str, address: Ip) -> str:
    """Who answers for an address on a network: a port that has it, or the gateway of the router of a floating IP.

    On an external network others may have it. Raises NoWayError where nobody can.
    """
    routers = select(FloatingIp.router_id).where(
        FloatingIp.floating_network_id == network_id, FloatingIp.floating_ip_address == str(address)
    )
    answering = (Port.device_owner == GATEWAY_OWNER) & Port.router_id.in_(routers)
    having = Port.id.in_(select(PortAddress.port_id).where(PortAddress.ip_address == str(address)))
    mac = session.scalars(
        select(Port.mac_address)
        .where(Port.network_id == network_id, having | answering)
        .order_by(Port.binding_host.desc())
    ).first()
    if mac is None and not session.get_one(Network, network_id).physical_network:
        raise NoWayError(f"no port of network {network_id} has {address}: nobody answers for it")
    return mac or STRANGER
