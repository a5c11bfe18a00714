"""Router → address scopes: which of its links may send to which.

An address scope is a world of addresses: within one the router routes plainly, between two it routes nothing, in
neither direction. What is in no scope is together in one of its own. Translation leads across: by floating IPs and
port forwardings both ways, and out by SNAT.
"""

from collections.abc import Iterable

import msgspec

from contract.router import Router, RouterGateway, RouterInterface
from ovs_agent.flows import addresses
from ovs_agent.namespaces.router import legs, link_name


class Wall(msgspec.Struct, frozen=True):
    """What comes in on ``links`` leaves on ``reach`` alone, unless it is translated."""

    links: tuple[str, ...]
    reach: tuple[str, ...]


def walls(router: Router, version: int) -> tuple[Wall, ...]:
    """The walls of one IP version; none when all links are in one scope."""
    there = [leg for leg in legs(router) if _has(leg, version)]
    found = []
    for scope in sorted({_scope(leg, version) for leg in there}):
        within = [leg for leg in there if _scope(leg, version) == scope]
        links = tuple(link_name(leg) for leg in within if not _translates(leg, version))
        ways_out = (link_name(leg) for leg in there if _translates(leg, version))
        reach = dict.fromkeys([*map(link_name, within), *ways_out])
        if links and len(reach) < len(there):
            found.append(Wall(links, tuple(reach)))
    return tuple(found)


def same_scope(router: Router, gateway: RouterGateway) -> tuple[str, ...]:
    """The inner links whose addresses are known outside of the gateway as they are."""
    scope = gateway.ipv4_scope
    return tuple(link_name(leg) for leg in router.interfaces if scope and leg.ipv4_scope == scope)


def rules(told: Iterable[Wall]) -> Iterable[str]:
    """What drops the packets that would cross a wall."""
    for wall in told:
        yield f"iifname {links_of(wall.links)} oifname != {links_of(wall.reach)} drop"


def links_of(links: Iterable[str]) -> str:
    """Links as a rule names them."""
    return "{ " + ", ".join(f'"{link}"' for link in links) + " }"


def _has(leg: RouterInterface | RouterGateway, version: int) -> bool:
    return any(addresses.network(text).version == version for text in leg.addresses)


def _scope(leg: RouterInterface | RouterGateway, version: int) -> str:
    return leg.ipv4_scope if version == 4 else leg.ipv6_scope


def _translates(leg: RouterInterface | RouterGateway, version: int) -> bool:
    """A gateway with SNAT has rules of its own for what comes in."""
    return version == 4 and isinstance(leg, RouterGateway) and leg.is_snat
