"""The way of a packet as the rows say it: from a port to whoever is next, and across a router.

For ``controller-manage trace-packet``. What the flows on the way make of it, hosts are asked for.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network.addresses import Ip, Prefix
from controller.network.floating_ips.model import FloatingIp
from controller.network.networks.model import Network
from controller.network.port_forwardings.model import PortForwarding
from controller.network.ports import service
from controller.network.ports.model import GATEWAY_OWNER, Port, PortAddress
from controller.network.routers import attached
from controller.network.routers.attached import Attached
from controller.network.routers.model import Router
from controller.network.subnets.model import Subnet

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


def across(session: Session, router_id: str, came_by: Port, packet: Packet) -> Leg:
    """What a router makes of a packet that came by one of its ports. Raises NoWayError."""
    router = session.get_one(Router, router_id)
    if not router.is_admin_up:
        raise NoWayError(f"router {router_id} is not up")
    packet, inwards = _translated_inwards(session, router_id, packet)
    to = ipaddress.ip_address(packet.destination)
    has = attached.addresses(session, router_id)
    if str(to) in {a.ip_address for a in has}:
        raise NoWayError(f"{to} is the router's own address: it answers itself")
    leaving, hop, because = _route(session, router, has, to)
    port = session.get_one(Port, leaving.port_id)
    outwards = ""
    if port.device_owner == GATEWAY_OWNER and came_by.device_owner != GATEWAY_OWNER and not inwards:
        packet, outwards = _translated_outwards(session, router, leaving, packet)
    told = "; ".join(filter(None, (inwards, because, outwards)))
    return Leg(port, packet, _mac(session, port.network_id, hop), told)


def _translated_inwards(session: Session, router_id: str, packet: Packet) -> tuple[Packet, str]:
    """A floating IP's, or a port forwarding's, inner address, and the word that says so."""
    fixed = session.scalar(
        select(FloatingIp.fixed_ip_address).where(
            FloatingIp.router_id == router_id, FloatingIp.floating_ip_address == packet.destination
        )
    )
    if fixed:
        return replace(packet, destination=fixed), f"floating IP {packet.destination} stands for {fixed}"
    forwardings = session.scalars(
        select(PortForwarding)
        .join(FloatingIp, FloatingIp.id == PortForwarding.floatingip_id)
        .where(
            FloatingIp.router_id == router_id,
            FloatingIp.floating_ip_address == packet.destination,
            PortForwarding.protocol == packet.protocol,
        )
    )
    for row in forwardings:
        first, last = row.external
        if first <= packet.destination_port <= last:
            to, inner = row.internal_ip_address, row.internal_first + packet.destination_port - first
            told = f"{packet.destination}:{packet.destination_port} is forwarded to {to}:{inner}"
            return replace(packet, destination=to, destination_port=inner), told
    return packet, ""


def _translated_outwards(
    session: Session, router: Router, leaving: Attached, packet: Packet
) -> tuple[Packet, str]:
    """With which source it leaves: its floating IP, else the gateway's own address."""
    if ":" in packet.source:
        return packet, ""
    floating = session.scalar(
        select(FloatingIp.floating_ip_address).where(
            FloatingIp.router_id == router.id, FloatingIp.fixed_ip_address == packet.source
        )
    )
    outer = floating or (leaving.ip_address if router.is_snat else None)
    if outer is None:
        return packet, ""
    kind = "floating IP" if floating else "SNAT"
    return replace(packet, source=outer), f"{kind}: {packet.source} leaves as {outer}"


def _route(session: Session, router: Router, has: Sequence[Attached], to: Ip) -> tuple[Attached, Ip, str]:
    """By which of its addresses' links the router reaches ``to``, by which neighbour, and why."""
    if here := next((a for a in has if to in a.prefix), None):
        return here, to, f"{here.cidr} is on a link of the router"
    routes = {route["destination"]: route["nexthop"] for route in router.routes}
    outside = [a.subnet_id for a in has if a.device_owner == GATEWAY_OWNER]
    for subnet in session.scalars(select(Subnet).where(Subnet.id.in_(outside))):
        if subnet.gateway_ip:
            routes.setdefault("::/0" if subnet.ip_version == 6 else "0.0.0.0/0", subnet.gateway_ip)
    route = _best(routes, to)
    if route is None:
        raise NoWayError(f"router {router.id} has no route to {to}")
    hop = ipaddress.ip_address(routes[route])
    by = next((a for a in has if hop in a.prefix), None)
    if by is None:
        raise NoWayError(f"the router's route {route} is by {hop}, which is on none of its links")
    return by, hop, f"{route} is by {hop}"


def _best(routes: Mapping[str, str], to: Ip) -> str | None:
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
