"""Extra routes of a router: prefixes, and addresses on its links that lead there."""

import ipaddress
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from controller.network import options, refusals
from controller.network.addresses import Prefix
from controller.network.routers import attached
from controller.web.errors import BadRequest

Route = dict[str, str]


def checked(session: Session, router_id: str, given: Sequence[Route]) -> list[Route]:
    """The routes in their usual writing, each once. Raises BadRequest for those that lead nowhere."""
    if not given:
        return []
    found = [_parsed(route) for route in given]
    if len({tuple(route.values()) for route in found}) != len(found):
        raise refusals.malformed("routes: the same route is there twice.")
    most = options.settings().max_routes
    if len(found) > most:
        raise refusals.invalid(
            f"Unable to complete operation for {router_id}. The number of routes exceeds the maximum {most}.",
            "RoutesExhausted",
        )
    has = attached.addresses(session, router_id)
    check_reached(found, [a.prefix for a in has], {a.ip_address for a in has})
    return found


def check_reached(routes: Sequence[Route], links: Sequence[Prefix], own: set[str]) -> None:
    """Every next hop is on a link of the router and is not the router itself. Raises BadRequest."""
    for route in routes:
        next_hop = ipaddress.ip_address(route["nexthop"])
        if not any(next_hop in link for link in links):
            raise _invalid(routes, "the nexthop is not connected with router")
        if route["nexthop"] in own:
            raise _invalid(routes, "the nexthop is used by router")


def added(has: Sequence[Route], more: Sequence[Route]) -> list[Route]:
    """Those that are there and those that are new, each once."""
    known = {_key(route) for route in has}
    new = {_key(route): route for route in (_parsed(r) for r in more)}
    return [*has, *(route for key, route in new.items() if key not in known)]


def removed(has: Sequence[Route], less: Sequence[Route]) -> list[Route]:
    """Those that are there but for some; naming one that is not there is no error."""
    gone = {_key(_parsed(route)) for route in less}
    return [route for route in has if _key(route) not in gone]


def _key(route: Route) -> tuple[str, str]:
    return route["destination"], route["nexthop"]


def _parsed(route: Route) -> Route:
    try:
        destination = ipaddress.ip_network(route["destination"])
        next_hop = ipaddress.ip_address(route["nexthop"])
    except ValueError as error:
        raise refusals.malformed(f"routes: {error}.") from None
    if destination.version != next_hop.version or getattr(next_hop, "scope_id", None):
        raise _invalid([route], "destination and nexthop are not of one IP version")
    return {"destination": str(destination), "nexthop": str(next_hop)}


def _invalid(routes: Sequence[Any], why: str) -> BadRequest:
    return refusals.invalid(f"routes: {why}", "InvalidRoutes")
