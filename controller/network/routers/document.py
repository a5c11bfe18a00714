"""Rows → the contract document of a router, and what it is built on.

Its ports and their networks are documents of their own on the same host.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contract import router as contract
from contract.document import Key
from controller.db.host_documents import DocumentKind, filled
from controller.network.floating_ips.model import FloatingIp
from controller.network.networks.model import Network
from controller.network.port_forwardings.model import PortForwarding
from controller.network.ports.model import GATEWAY_OWNER, Port, PortAddress
from controller.network.qos import effective as qos
from controller.network.routers.model import Router
from controller.network.subnet_pools.model import SubnetPool
from controller.network.subnets.model import Subnet


class _Held(NamedTuple):
    """An address of a port, its subnet, and the address scope of that."""

    text: str
    subnet: Subnet
    scope_id: str | None


#: Of a port its addresses in order.
_Addresses = Mapping[str, Sequence[_Held]]


def _hosts(session: Session, router_id: str) -> set[str]:
    host = session.scalar(select(Router.host).where(Router.id == router_id))
    return {host} if host else set()


def _router(session: Session, host: str, router_id: str) -> contract.Router | None:
    router = session.get(Router, router_id, populate_existing=True)
    if router is None or router.host != host:
        return None
    ports = _ports(session, router_id)
    addresses = _addresses(session, router_id)
    inside = [p for p in ports if p[0].device_owner != GATEWAY_OWNER]
    outside = [p for p in ports if p[0].device_owner == GATEWAY_OWNER]
    return filled(
        contract.Router,
        router,
        interfaces=tuple(_interface(port, mtu, addresses) for port, mtu in inside),
        gateways=tuple(_gateway(session, router, port, mtu, addresses) for port, mtu in outside),
        routes=tuple(
            contract.Route(destination=route["destination"], next_hop=route["nexthop"])
            for route in router.routes
        ),
        floating_ips=_floating_ips(session, router_id),
        floating_ip_limits=_floating_ip_limits(session, router_id),
        port_forwardings=_port_forwardings(session, router_id),
    )


def _ports(session: Session, router_id: str) -> list[tuple[Port, int]]:
    """The router's ports, each with the MTU of its network."""
    statement = (
        select(Port, Network.mtu)
        .join(Network, Network.id == Port.network_id)
        .where(Port.router_id == router_id)
        .order_by(Port.id)
        .execution_options(populate_existing=True)
    )
    return [(port, mtu) for port, mtu in session.execute(statement)]


def _addresses(session: Session, router_id: str) -> _Addresses:
    found: dict[str, list[_Held]] = {}
    statement = (
        select(PortAddress.port_id, PortAddress.ip_address, Subnet, SubnetPool.address_scope_id)
        .join(Subnet, Subnet.id == PortAddress.subnet_id)
        .outerjoin(SubnetPool, SubnetPool.id == Subnet.subnetpool_id)
        .join(Port, Port.id == PortAddress.port_id)
        .where(Port.router_id == router_id)
        .order_by(PortAddress.ordinal)
        .execution_options(populate_existing=True)
    )
    for port_id, *held in session.execute(statement):
        found.setdefault(port_id, []).append(_Held(*held))
    return found


def _interface(port: Port, mtu: int, addresses: _Addresses) -> contract.RouterInterface:
    has = addresses.get(port.id, ())
    return filled(
        contract.RouterInterface,
        port,
        port_id=port.id,
        mtu=mtu,
        addresses=_with_length(has),
        advertised=tuple(_advertised(held.subnet) for held in has if held.subnet.ipv6_ra_mode),
        **_scopes(has),
    )


def _advertised(subnet: Subnet) -> contract.AdvertisedPrefix:
    return filled(contract.AdvertisedPrefix, subnet, mode=subnet.ipv6_ra_mode)


def _gateway(
    session: Session, router: Router, port: Port, mtu: int, addresses: _Addresses
) -> contract.RouterGateway:
    has = addresses.get(port.id, ())
    hops = dict.fromkeys(held.subnet.gateway_ip for held in has if held.subnet.gateway_ip)
    return filled(
        contract.RouterGateway,
        port,
        port_id=port.id,
        mtu=mtu,
        addresses=_with_length(has),
        next_hops=tuple(hops),
        is_snat=router.is_snat,
        limits=qos.bandwidth_limits(qos.rules(session, router.qos_policy_id)),
        **_scopes(has),
    )


def _scopes(has: Iterable[_Held]) -> dict[str, str]:
    """A network is in one scope of each IP version, or in none."""
    found = {held.subnet.ip_version: held.scope_id or "" for held in has}
    return {"ipv4_scope": found.get(4, ""), "ipv6_scope": found.get(6, "")}


def _with_length(has: Iterable[_Held]) -> tuple[str, ...]:
    return tuple(f"{held.text}/{held.subnet.prefix.prefixlen}" for held in has)


def _floating_ips(session: Session, router_id: str) -> tuple[contract.FloatingIp, ...]:
    rows = session.execute(
        select(
            FloatingIp.id,
            FloatingIp.floating_ip_address,
            FloatingIp.fixed_ip_address,
        )
        .where(FloatingIp.router_id == router_id, FloatingIp.fixed_ip_address.is_not(None))
        .order_by(FloatingIp.id)
    )
    return tuple(filled(contract.FloatingIp, row) for row in rows)


def _floating_ip_limits(session: Session, router_id: str) -> tuple[contract.AddressLimits, ...]:
    """Of all floating IPs that the router does, also of those that only forward ports."""
    policy_id = func.coalesce(FloatingIp.qos_policy_id, Network.qos_policy_id)
    policies = session.execute(
        select(FloatingIp.floating_ip_address, policy_id)
        .join(Network, Network.id == FloatingIp.floating_network_id)
        .where(FloatingIp.router_id == router_id, policy_id.is_not(None))
        .order_by(FloatingIp.id)
    ).all()
    rules = qos.rules_of(session, [each for _, each in policies])
    found = ((address, qos.bandwidth_limits(rules.get(each, ()))) for address, each in policies)
    return tuple(
        contract.AddressLimits(address=address, limits=limits) for address, limits in found if limits
    )


def _port_forwardings(session: Session, router_id: str) -> tuple[contract.PortForwarding, ...]:
    statement = (
        select(PortForwarding, FloatingIp.floating_ip_address)
        .join(FloatingIp, FloatingIp.id == PortForwarding.floatingip_id)
        .where(FloatingIp.router_id == router_id)
        .order_by(PortForwarding.id)
        .execution_options(populate_existing=True)
    )
    return tuple(
        filled(contract.PortForwarding, row, floating_ip_address=outer)
        for row, outer in session.execute(statement)
    )


def floating_by_router(session: Session, network_id: str) -> dict[str | None, list[str]]:
    """The floating IPs of an external network that each router does: they are behind its gateway there."""
    found: dict[str | None, list[str]] = {}
    statement = (
        select(FloatingIp.router_id, FloatingIp.floating_ip_address)
        .where(FloatingIp.floating_network_id == network_id, FloatingIp.router_id.is_not(None))
        .order_by(FloatingIp.id)
    )
    for router_id, text in session.execute(statement):
        found.setdefault(router_id, []).append(text)
    return found


DOCUMENT = DocumentKind(_hosts, _router)


# --- routers that are built on other rows


def of_router(_session: Session, router_id: str) -> set[Key]:
    """A router itself."""
    return {Key("router", router_id)}


def of_network(session: Session, network_id: str) -> set[Key]:
    """Routers with a port on the network."""
    statement = select(Port.router_id).where(Port.network_id == network_id, Port.router_id.is_not(None))
    return {Key("router", found) for found in session.scalars(statement.distinct()) if found}


def of_subnet(session: Session, subnet_id: str) -> set[Key]:
    """Routers with an address of the subnet."""
    statement = (
        select(Port.router_id)
        .join(PortAddress, PortAddress.port_id == Port.id)
        .where(PortAddress.subnet_id == subnet_id, Port.router_id.is_not(None))
    )
    return {Key("router", found) for found in session.scalars(statement.distinct()) if found}
