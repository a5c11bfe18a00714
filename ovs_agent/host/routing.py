"""The inside of a router's namespace: its links, their addresses and its routes, as they are and as they should be."""

import pathlib
from typing import Any

from pyroute2 import IPRoute

from ovs_agent.host import links, netns
from ovs_agent.namespaces import names
from ovs_agent.namespaces.router import Inside, LinkState, Route

_SETTINGS = pathlib.Path("/proc/sys/net")
_FORWARDING = ("ipv4/ip_forward", "ipv6/conf/all/forwarding")
#: Of every link. Redirects would lead guests past the translation; the strict path filter would drop what comes
#: back by another gateway; ARP is answered for addresses of the asked link alone.
_OF_LINK = {
    "ipv4/conf/{}/rp_filter": "0",
    "ipv4/conf/{}/send_redirects": "0",
    "ipv4/conf/{}/promote_secondaries": "1",
    "ipv4/conf/{}/arp_ignore": "1",
    "ipv4/conf/{}/arp_announce": "2",
    "ipv6/conf/{}/disable_ipv6": "0",
    "ipv6/conf/{}/accept_ra": "0",
    "ipv6/conf/{}/addr_gen_mode": "1",
}
_MAIN, _BY_KERNEL, _UNICAST, _UP, _ONLINK = 254, 2, 1, 1, 4
_DEFAULT = {4: "0.0.0.0/0", 6: "::/0"}


def prepare(namespace: str) -> None:
    """What a new namespace says of all its links, before it has any."""

    def work() -> None:
        for name in ("all", "default"):
            _switch(name)

    netns.inside(namespace, work)


def look(namespace: str) -> Inside:
    """Links of the router with addresses, and routes that are not the kernel's own."""

    def work() -> Inside:
        with IPRoute() as ip:
            found = {link.get_attr("IFLA_IFNAME"): link for link in ip.get_links()}
            numbered = {link["index"]: name for name, link in found.items()}
            states = {name: _state(ip, link) for name, link in found.items() if _is_ours(name)}
            routes = {_destination(route): _route(route, numbered) for route in _routes(ip)}
        return Inside(states, routes, all(_read(path) == "1" for path in _FORWARDING))

    return netns.inside(namespace, work)


def furnish(namespace: str, wanted: Inside) -> None:
    """Takes links away that are left of older ones, gives the others their MACs, MTUs and addresses, then the
    namespace its routes; forwarding comes last.

    A link that is missing is an OSError: it is made before.
    """

    def work() -> None:
        with IPRoute() as ip:
            ip.link("set", index=1, state="up")
            for link in ip.get_links():
                name = link.get_attr("IFLA_IFNAME")
                if _is_ours(name) and name not in wanted.links:
                    ip.link("del", index=link["index"])
            for name, state in wanted.links.items():
                _switch(name)
                links.dress(ip, name, state.mac_address, state.mtu, state.addresses)
            _set_routes(ip, wanted.routes)
        for path in _FORWARDING:
            if _read(path) != "1":
                (_SETTINGS / path).write_text("1")

    netns.inside(namespace, work)


def _is_ours(name: str) -> bool:
    return name.startswith(names.ROUTER_INNER_PREFIXES)


def _set_routes(ip: IPRoute, wanted: dict[str, Route]) -> None:
    """A route that changes is replaced, never missing."""
    numbered = {link["index"]: link.get_attr("IFLA_IFNAME") for link in ip.get_links()}
    numbers = {name: index for index, name in numbered.items()}
    found = {_destination(route): _route(route, numbered) for route in _routes(ip)}
    for destination, route in wanted.items():
        if found.get(destination) != route:
            ip.route(
                "replace", dst=destination, gateway=route.next_hop, oif=numbers[route.link], flags=_ONLINK
            )
    for destination in found.keys() - wanted.keys():
        ip.route("del", dst=destination)


def _routes(ip: IPRoute) -> list[Any]:
    return [
        route
        for family in (2, 10)
        for route in ip.get_routes(family=family, table=_MAIN)
        if route["proto"] != _BY_KERNEL and route["type"] == _UNICAST
    ]


def _destination(route: Any) -> str:
    told = route.get_attr("RTA_DST")
    version = 4 if route["family"] == 2 else 6
    return f"{told}/{route['dst_len']}" if told else _DEFAULT[version]


def _route(route: Any, numbered: dict[int, str]) -> Route:
    return Route(route.get_attr("RTA_GATEWAY") or "", numbered.get(route.get_attr("RTA_OIF"), ""))


def _state(ip: IPRoute, link: Any) -> LinkState:
    return LinkState(
        link.get_attr("IFLA_ADDRESS"),
        link.get_attr("IFLA_MTU"),
        frozenset(links.addresses(ip, link["index"])),
        bool(link["flags"] & _UP),
    )


def _switch(name: str) -> None:
    for path, value in _OF_LINK.items():
        if "addr_gen_mode" in path and name == "all":
            continue
        if _read(path.format(name)) != value:
            (_SETTINGS / path.format(name)).write_text(value)


def _read(path: str) -> str:
    return (_SETTINGS / path).read_text().strip()
