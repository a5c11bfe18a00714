"""Router → what its namespace holds: links with exactly these addresses, and exactly these routes."""

import ipaddress
import uuid
from collections.abc import Iterable

import msgspec

from contract.router import Router, RouterGateway, RouterInterface
from ovs_agent.flows import addresses
from ovs_agent.namespaces import names

Leg = RouterInterface | RouterGateway

_DEFAULT = {4: "0.0.0.0/0", 6: "::/0"}


class Link(msgspec.Struct, frozen=True):
    """A veth pair: ``name`` inside, ``outer`` on br-int as ``port_id``."""

    name: str
    outer: str
    port_id: str


class LinkState(msgspec.Struct, frozen=True):
    """A link inside. ``addresses`` are with prefix length."""

    mac_address: str
    mtu: int
    addresses: frozenset[str]
    is_up: bool = True


class Route(msgspec.Struct, frozen=True):
    """By which neighbour, on which link."""

    next_hop: str
    link: str


class Inside(msgspec.Struct, frozen=True):
    """A namespace as it is, or as it should be: links by name, routes by destination."""

    links: dict[str, LinkState]
    routes: dict[str, Route]
    is_forwarding: bool = True


class Interior(msgspec.Struct, frozen=True):
    """A router's namespace; ``faults`` is what of the document cannot be obeyed."""

    namespace: str
    links: tuple[Link, ...]
    inside: Inside
    faults: tuple[str, ...] = ()


def interior(router: Router) -> Interior:
    """What the namespace of a router that is up should hold. Raises ValueError for addresses that are none."""
    faults: list[str] = []
    extra = _floating(router, faults)
    links, states = [], {}
    for leg in legs(router):
        name = link_name(leg)
        links.append(Link(name, names.router_outer(leg.port_id), leg.port_id))
        states[name] = _state(leg, extra.get(name, ()))
    routes = _routes(router, states, faults)
    inside = Inside(states, routes)
    return Interior(names.router_namespace(router.id), tuple(links), inside, tuple(faults))


def legs(router: Router) -> tuple[Leg, ...]:
    """All ports of a router."""
    inner: tuple[Leg, ...] = router.interfaces
    return inner + router.gateways


def link_name(leg: Leg) -> str:
    """The link of a port, inside. Raises ValueError for an id that is none."""
    port_id = str(uuid.UUID(leg.port_id))
    is_gateway = isinstance(leg, RouterGateway)
    return names.router_gateway(port_id) if is_gateway else names.router_interface(port_id)


def outer_addresses(router: Router) -> list[str]:
    """The addresses that stand for inner ones: of floating IPs and of port forwardings."""
    told = [floating.floating_ip_address for floating in router.floating_ips]
    told += [forwarding.floating_ip_address for forwarding in router.port_forwardings]
    return sorted({str(ipaddress.IPv4Address(text)) for text in told})


def _floating(router: Router, faults: list[str]) -> dict[str, list[str]]:
    """Outer addresses by the link of the gateway that holds them: that of their subnet, else the first."""
    found: dict[str, list[str]] = {}
    for text in outer_addresses(router):
        if not router.gateways:
            faults.append(f"floating IP {text}: the router has no gateway")
            continue
        homes = [leg for leg in router.gateways if _holds(leg.addresses, text)]
        found.setdefault(link_name((homes or router.gateways)[0]), []).append(f"{text}/32")
    return found


def _state(leg: Leg, more: Iterable[str]) -> LinkState:
    mac = addresses.mac(leg.mac_address)
    own = {str(ipaddress.ip_interface(text)) for text in leg.addresses}
    return LinkState(mac, leg.mtu, frozenset({*own, *more, f"{addresses.link_local(mac)}/64"}))


def _routes(router: Router, states: dict[str, LinkState], faults: list[str]) -> dict[str, Route]:
    """A default route for each family by the first gateway that has one; extra routes may stand in its place."""
    routes: dict[str, Route] = {}
    for leg in router.gateways:
        for text in leg.next_hops:
            hop = ipaddress.ip_address(text)
            routes.setdefault(_DEFAULT[hop.version], Route(str(hop), link_name(leg)))
    for told in router.routes:
        target, hop = addresses.network(told.destination), ipaddress.ip_address(told.next_hop)
        name = next((n for n, state in states.items() if _holds(state.addresses, str(hop))), None)
        if name is None or target.version != hop.version or _is_own(states, hop):
            faults.append(f"route to {target}: {hop} is not on a network of the router")
            continue
        routes[str(target)] = Route(str(hop), name)
    return routes


def _holds(held: Iterable[str], text: str) -> bool:
    address = ipaddress.ip_address(text)
    nets = (addresses.network(each) for each in held)
    return any(address.version == net.version and address in net for net in nets)


def _is_own(states: dict[str, LinkState], hop: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    own = (each for state in states.values() for each in state.addresses)
    return any(ipaddress.ip_interface(each).ip == hop for each in own)
