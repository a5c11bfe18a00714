"""Router → address translation, walls and limits: the text of the tables ``cumulet``, and which connections still
agree with it.

Outer addresses stand for inner ones in both directions; the rest leaves with the gateway's address. Only what
crosses a gateway is translated, and what comes from inside to an outer address of the same router: its answer
has to come back this way. With SNAT on, nothing else of outside is routed inwards, but to links of the gateway's own
address scope.
"""

import ipaddress
from collections.abc import Iterable

import msgspec

from contract.router import PortForwarding, Router
from ovs_agent.namespaces import limits, scopes
from ovs_agent.namespaces.limits import AddressLimit
from ovs_agent.namespaces.router import link_name
from ovs_agent.namespaces.scopes import Wall

TABLE, TABLE_6 = "ip cumulet", "ip6 cumulet"
#: Protocols with ports, by their numbers.
_WITH_PORTS = {"tcp": 6, "udp": 17, "dccp": 33, "sctp": 132}
_NAMES = {number: name for name, number in _WITH_PORTS.items()}
_CLEAN = "".join(f"table {table}\ndelete table {table}\n" for table in (TABLE, TABLE_6))


class Forward(msgspec.Struct, frozen=True, order=True):
    """Outer ports ``first`` to ``last`` lead to inner ports from ``inner_first`` on."""

    outer: str
    protocol: str
    first: int
    last: int
    inner: str
    inner_first: int


class Gateway(msgspec.Struct, frozen=True):
    """A link to outside; ``source`` is the address that what has no other leaves with, empty without SNAT.

    ``same_scope`` are the inner links whose addresses stay as they are.
    """

    link: str
    source: str
    same_scope: tuple[str, ...] = ()


class Nat(msgspec.Struct, frozen=True):
    """What is translated, and what is kept apart. ``floating`` is outer to inner, ``fixed`` the way back."""

    gateways: tuple[Gateway, ...] = ()
    floating: dict[str, str] = {}
    fixed: dict[str, str] = {}
    forwards: tuple[Forward, ...] = ()
    walls: tuple[Wall, ...] = ()
    walls_6: tuple[Wall, ...] = ()
    faults: tuple[str, ...] = ()
    limits: tuple[AddressLimit, ...] = ()


class Connection(msgspec.Struct, frozen=True):
    """A connection of conntrack that began from ``source`` to ``destination``, and what both became."""

    protocol: int
    source: str
    destination: str
    port: int | None
    new_source: str
    new_destination: str
    new_port: int | None


def compile_nat(router: Router) -> Nat:
    """Raises ValueError for addresses that are none; a forwarding that cannot be obeyed is left out and told."""
    gateways = []
    for leg in router.gateways:
        ips = [ipaddress.ip_interface(text).ip for text in leg.addresses]
        source = next((str(ip) for ip in ips if ip.version == 4), "") if leg.is_snat else ""
        gateways.append(Gateway(link_name(leg), source, scopes.same_scope(router, leg)))
    walls, walls_6 = scopes.walls(router, 4), scopes.walls(router, 6)
    if not gateways:
        return Nat(walls=walls, walls_6=walls_6)
    floating: dict[str, str] = {}
    fixed: dict[str, str] = {}
    for each in router.floating_ips:
        outer, inner = _ipv4(each.floating_ip_address), _ipv4(each.fixed_ip_address)
        floating[outer] = inner
        fixed.setdefault(inner, outer)
    faults: list[str] = []
    forwards = tuple(sorted(_forwards(router.port_forwardings, faults)))
    return Nat(
        gateways=tuple(gateways),
        floating=floating,
        fixed=fixed,
        forwards=forwards,
        walls=walls,
        walls_6=walls_6,
        faults=tuple(faults),
        limits=limits.compile_limits(router),
    )


def text(nat: Nat) -> str:
    """One transaction that replaces the tables whole: a packet sees the old rules or the new ones."""
    return _CLEAN + _table(TABLE, _rules(nat)) + _table(TABLE_6, _rules_6(nat))


def _table(name: str, lines: list[str]) -> str:
    return "\n".join([f"table {name} {{", *lines, "}"]) + "\n" if lines else ""


def _rules_6(nat: Nat) -> list[str]:
    return [*_chain("forward", _FILTER, scopes.rules(nat.walls_6))] if nat.walls_6 else []


def _rules(nat: Nat) -> list[str]:
    if not nat.gateways:
        return [*_chain("forward", _FILTER, _apart(nat))] if nat.walls else []
    shifted = [forward for forward in nat.forwards if forward.first != forward.inner_first]
    straight = [forward for forward in nat.forwards if forward.first == forward.inner_first]
    return [
        *_map("floating", "ipv4_addr : ipv4_addr", (f"{a} : {b}" for a, b in sorted(nat.floating.items()))),
        *_map("fixed", "ipv4_addr : ipv4_addr", (f"{a} : {b}" for a, b in sorted(nat.fixed.items()))),
        *_map("forwarded", _FORWARDED, (line for forward in shifted for line in _elements(forward))),
        *_chain("prerouting", "nat hook prerouting priority dstnat", _arriving(straight)),
        *_chain("forward", _FILTER, [*_apart(nat), *_inwards(nat)]),
        *_limited(nat.limits),
        *_chain("postrouting", "nat hook postrouting priority srcnat", _leaving(nat)),
    ]


def agrees(nat: Nat, seen: Connection) -> bool:
    """Whether today's rules would still make this connection so; one that is not translated always agrees."""
    if seen.new_destination != seen.destination or seen.new_port != seen.port:
        wanted = _destination(nat, seen)
        if wanted != (seen.new_destination, seen.new_port):
            return False
    if seen.new_source == seen.source:
        return True
    return seen.new_source in {nat.fixed.get(seen.source), *(each.source for each in nat.gateways)}


def moved_addresses(before: Nat, after: Nat) -> frozenset[str]:
    """Outer addresses by which there may be connections that ``before`` made and ``after`` would not."""
    found = {f.outer for f in {*before.forwards} ^ {*after.forwards}}
    found |= {outer for outer, _ in before.floating.items() ^ after.floating.items()}
    found |= {outer for _, outer in before.fixed.items() - after.fixed.items()}
    found |= {each.source for each in before.gateways} - {each.source for each in after.gateways}
    return frozenset(found - {""})


_FILTER = "filter hook forward priority filter"
_FORWARDED = "ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service"


def _arriving(straight: Iterable[Forward]) -> Iterable[str]:
    for forward in straight:
        ports = f"{forward.first}-{forward.last}" if forward.last > forward.first else f"{forward.first}"
        yield f"ip daddr {forward.outer} {forward.protocol} dport {ports} dnat to {forward.inner}"
    yield "dnat ip to ip daddr . meta l4proto . th dport map @forwarded"
    yield "dnat to ip daddr map @floating"


def _apart(nat: Nat) -> Iterable[str]:
    """What is translated crosses walls: on its way out to a gateway without SNAT it is not yet."""
    if not nat.walls:
        return
    yield "ct status snat,dnat accept"
    plain = ", ".join(f'"{gateway.link}"' for gateway in nat.gateways if not gateway.source)
    if plain and nat.fixed:
        yield f"ip saddr {{ {', '.join(sorted(nat.fixed))} }} oifname {{ {plain} }} accept"
    yield from scopes.rules(nat.walls)


def _inwards(nat: Nat) -> Iterable[str]:
    """Without SNAT the inner networks are known outside, and routed."""
    for gateway in nat.gateways:
        if gateway.source:
            yield f'iifname "{gateway.link}" ct state established,related accept'
            yield f'iifname "{gateway.link}" ct status dnat accept'
            if gateway.same_scope:
                yield f'iifname "{gateway.link}" oifname {scopes.links_of(gateway.same_scope)} accept'
            yield f'iifname "{gateway.link}" drop'


def _leaving(nat: Nat) -> Iterable[str]:
    for gateway in nat.gateways:
        yield f'oifname "{gateway.link}" snat to ip saddr map @fixed'
        if gateway.source and gateway.same_scope:
            yield f'oifname "{gateway.link}" iifname {scopes.links_of(gateway.same_scope)} accept'
        if gateway.source:
            yield f'oifname "{gateway.link}" snat to {gateway.source}'
    links = ", ".join(f'"{gateway.link}"' for gateway in nat.gateways)
    back = f"iifname != {{ {links} }} ct status dnat"
    yield f"{back} snat to ip saddr map @fixed"
    if source := next((gateway.source for gateway in nat.gateways if gateway.source), ""):
        yield f"{back} snat to {source}"


def _limited(told: tuple[AddressLimit, ...]) -> Iterable[str]:
    if told:
        yield from _chain("arriving", "filter hook prerouting priority raw", limits.arriving(told))
        yield from _chain("leaving", "filter hook postrouting priority srcnat + 1", limits.leaving(told))


def _map(name: str, kind: str, elements: Iterable[str]) -> Iterable[str]:
    yield f"  map {name} {{"
    yield f"    type {kind}"
    if told := ",\n      ".join(elements):
        yield f"    elements = {{\n      {told}\n    }}"
    yield "  }"


def _chain(name: str, hook: str, rules: Iterable[str]) -> Iterable[str]:
    yield f"  chain {name} {{"
    yield f"    type {hook}"
    yield from (f"    {rule}" for rule in rules)
    yield "  }"


def _elements(forward: Forward) -> Iterable[str]:
    """nft has no word for a range that is shifted as a whole: port by port."""
    for step in range(forward.last - forward.first + 1):
        outer = f"{forward.outer} . {forward.protocol} . {forward.first + step}"
        yield f"{outer} : {forward.inner} . {forward.inner_first + step}"


def _forwards(told: Iterable[PortForwarding], faults: list[str]) -> Iterable[Forward]:
    for each in told:
        first, last = _range(each.external_port)
        inner_first, inner_last = _range(each.internal_port)
        if each.protocol not in _WITH_PORTS:
            faults.append(f"port forwarding {each.id}: {each.protocol} has no ports")
        elif last - first != inner_last - inner_first:
            faults.append(
                f"port forwarding {each.id}: {each.external_port} and {each.internal_port} differ in size"
            )
        else:
            outer, inner = _ipv4(each.floating_ip_address), _ipv4(each.internal_ip_address)
            yield Forward(outer, each.protocol, first, last, inner, inner_first)


def _range(ports: str) -> tuple[int, int]:
    first, _, last = ports.partition(":")
    low, high = int(first), int(last or first)
    if not 0 < low <= high <= 65535:
        raise ValueError(f"{ports!r} are no ports")
    return low, high


def _destination(nat: Nat, seen: Connection) -> tuple[str | None, int | None]:
    """Where the rules lead what goes to an outer address and port."""
    name = _NAMES.get(seen.protocol)
    for each in nat.forwards:
        is_its = (each.outer, each.protocol) == (seen.destination, name) and seen.port is not None
        if is_its and each.first <= (seen.port or 0) <= each.last:
            return each.inner, each.inner_first + (seen.port or 0) - each.first
    return nat.floating.get(seen.destination), seen.port


def _ipv4(told: str) -> str:
    return str(ipaddress.IPv4Address(told))
