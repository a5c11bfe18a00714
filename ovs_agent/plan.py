"""Desired and seen in, actions out: pure. The order of the actions is the order of need."""

from collections.abc import Iterable

import msgspec

from contract.document import Key
from contract.network import Network
from contract.port import Port
from contract.router import Router
from ovs_agent.namespaces.dhcp import Files
from ovs_agent.namespaces.metadata import Interior
from ovs_agent.namespaces.nat import Nat, moved_addresses
from ovs_agent.namespaces.router import Inside, Link
from ovs_agent.namespaces.router import Interior as RouterInterior

#: Link, MAC and address.
Announcement = tuple[str, str, str]


class Tap(msgspec.Struct, frozen=True):
    """A port's interface as OVSDB shows it. ``mark`` is what was last written about it."""

    name: str
    ofport: int
    mark: str


class PortSeen(msgspec.Struct, frozen=True):
    """A port on this host: its tap if it is plugged, where its flows are, the epoch of the switch.
    ``highest_zone`` is the highest conntrack zone that was ever used here."""

    tap: Tap | None
    flows_at: int | None
    epoch: int
    highest_zone: int


class DnsmasqSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace, and the dnsmasq that may serve in it."""

    is_namespace: bool
    files: Files | None
    is_dnsmasq: bool


class ServiceSeen(DnsmasqSeen, frozen=True, kw_only=True):
    """A network's services on this host."""

    is_plugged: bool
    is_metadata: bool


class RouterSeen(DnsmasqSeen, frozen=True, kw_only=True):
    """A router on this host.

    ``inside`` is None without a namespace. ``outer`` is the MTU of the outer ends that are up: Open vSwitch may take
    one down whose name it knew before. ``plugged`` are those on br-int. ``nat`` is the digest of the rules in force,
    empty when somebody changed them. ``translated`` are the rules that this process applied last. ``wired`` are
    links whose ports have their flows; ``announced`` is what neighbours were told.
    """

    inside: Inside | None
    outer: dict[str, int]
    plugged: frozenset[str]
    nat: str
    wired: frozenset[str]
    announced: frozenset[Announcement]
    translated: Nat | None = None


class QuietTap(msgspec.Struct, frozen=True):
    """Keep the host's own IP stack off the tap."""

    name: str


class ForgetConnections(msgspec.Struct, frozen=True):
    """Empty the conntrack zone if it was used before: it may hold a former port's connections."""

    zone: int
    is_used: bool


class EmptyZone(msgspec.Struct, frozen=True):
    """Empty the conntrack zone of a subport: another one may have had its number."""

    zone: int


class InstallFlows(msgspec.Struct, frozen=True):
    """Bring the flows of the port and its network into the switch; of a subport by the tap ``trunk``."""

    port_id: str
    ofport: int
    trunk: int | None = None


class RemoveFlows(msgspec.Struct, frozen=True):
    """Take the port's flows out of the switch."""

    port_id: str


class MarkWired(msgspec.Struct, frozen=True):
    """Tell the host's other agent that the port is ready."""

    port_id: str
    mark: str


class MakeNamespace(msgspec.Struct, frozen=True):
    """The namespace, its veth pair and what is on it."""

    interior: Interior


class PlugService(msgspec.Struct, frozen=True):
    """Join the namespace to br-int."""

    network_id: str
    outer: str
    mtu: int


class WriteFiles(msgspec.Struct, frozen=True):
    """dnsmasq's files; ``owner`` is the network or router."""

    owner: Key
    files: Files


class StartDnsmasq(msgspec.Struct, frozen=True):
    """Start it, ending one that runs with an older configuration."""

    owner: Key
    namespace: str


class ReloadDnsmasq(msgspec.Struct, frozen=True):
    """Have it read hosts, options and names again."""

    owner: Key


class StopDnsmasq(msgspec.Struct, frozen=True):
    """End it and remove its files."""

    owner: Key


class OpenMetadata(msgspec.Struct, frozen=True):
    """Listen in the namespace."""

    network_id: str
    interior: Interior


class CloseMetadata(msgspec.Struct, frozen=True):
    """Listen no more."""

    network_id: str


class RemoveService(msgspec.Struct, frozen=True):
    """Take the veth pair off br-int and the namespace off the host."""

    network_id: str
    namespace: str
    outer: str


class MakeRouter(msgspec.Struct, frozen=True):
    """The namespace, without links."""

    namespace: str


class MakeLink(msgspec.Struct, frozen=True):
    """A veth pair into the namespace, in place of what is left of an older one."""

    namespace: str
    link: Link


class PlugLink(msgspec.Struct, frozen=True):
    """Join a link of a router to br-int as the port that it is."""

    router_id: str
    link: Link
    mtu: int


class RemoveLink(msgspec.Struct, frozen=True):
    """Take a veth pair off br-int and off the host."""

    outer: str


class ApplyNat(msgspec.Struct, frozen=True):
    """Replace the rules, and cut the connections that they would not make. Only those by outer addresses that ``moved``
    are looked at, unless it is None."""

    router_id: str
    namespace: str
    nat: Nat
    digest: str
    moved: frozenset[str] | None


class FurnishRouter(msgspec.Struct, frozen=True):
    """Addresses and routes."""

    namespace: str
    inside: Inside


class Announce(msgspec.Struct, frozen=True):
    """Tell neighbours where addresses are."""

    namespace: str
    news: tuple[Announcement, ...]


class RemoveRouter(msgspec.Struct, frozen=True):
    """Take the namespace off the host, and forget what was noted."""

    router_id: str
    namespace: str


Action = (
    QuietTap
    | ForgetConnections
    | EmptyZone
    | InstallFlows
    | RemoveFlows
    | MarkWired
    | MakeNamespace
    | PlugService
    | WriteFiles
    | StartDnsmasq
    | ReloadDnsmasq
    | StopDnsmasq
    | OpenMetadata
    | CloseMetadata
    | RemoveService
    | MakeRouter
    | MakeLink
    | PlugLink
    | RemoveLink
    | ApplyNat
    | FurnishRouter
    | Announce
    | RemoveRouter
)


def mark(ofport: int, digest: str, epoch: int) -> str:
    """What the row of a wired tap says; void when the epoch of br-int is another."""
    return f"{ofport} {digest} {epoch:x}"


def port(desired: Port, digest: str, seen: PortSeen) -> tuple[Action, ...]:
    """DHCP for the port was made ready before; the mark comes last."""
    if seen.tap is None:
        return (RemoveFlows(desired.id),) if seen.flows_at is not None else ()
    actions: list[Action] = []
    tap = seen.tap
    if _marked_ofport(tap.mark) != tap.ofport:
        actions.append(QuietTap(tap.name))
        actions.append(ForgetConnections(tap.ofport, is_used=tap.ofport <= seen.highest_zone))
    actions.append(InstallFlows(desired.id, tap.ofport))
    wanted = mark(tap.ofport, digest, seen.epoch)
    if tap.mark != wanted:
        actions.append(MarkWired(desired.id, wanted))
    return tuple(actions)


def subport(desired: Port, number: int, seen: PortSeen) -> tuple[Action, ...]:
    """A port on its parent's tap, which ``seen`` is about; the mark on it is the parent's."""
    if seen.tap is None:
        return (RemoveFlows(desired.id),) if seen.flows_at is not None else ()
    install = InstallFlows(desired.id, number, seen.tap.ofport)
    return (install,) if seen.flows_at == number else (EmptyZone(number), install)


def service(
    network_id: str, interior: Interior, files: Files | None, seen: ServiceSeen
) -> tuple[Action, ...]:
    """Namespace, DHCP (None when no subnet is served), metadata. The namespace is gone over each time:
    that is cheap, and it heals what somebody took away."""
    actions: list[Action] = [MakeNamespace(interior)]
    if not seen.is_plugged or not seen.is_namespace:
        actions.append(PlugService(network_id, interior.outer, interior.mtu))
    actions += dnsmasq(Key(Network.KIND, network_id), interior.namespace, files, seen)
    if not seen.is_metadata or not seen.is_namespace:
        actions.append(OpenMetadata(network_id, interior))
    return tuple(actions)


def dnsmasq(owner: Key, namespace: str, files: Files | None, seen: DnsmasqSeen) -> list[Action]:
    """Told to read again for more hosts; restarted for another configuration, and when a host went: it keeps the lease
    of that one, and would refuse the address to the next one that has it for a day.

    It ends before its files change: whoever finds it running may go by the files.
    """
    if files is None:
        return [StopDnsmasq(owner)] if seen.files is not None or seen.is_dnsmasq else []
    is_running = seen.is_dnsmasq and seen.is_namespace
    if is_running and seen.files == files:
        return []
    if is_running and seen.files is not None and _may_read_again(seen.files, files):
        return [WriteFiles(owner, files), ReloadDnsmasq(owner)]
    actions: list[Action] = [StopDnsmasq(owner)] if seen.is_dnsmasq else []
    return [*actions, WriteFiles(owner, files), StartDnsmasq(owner, namespace)]


def no_service(network_id: str, namespace: str, outer: str) -> tuple[Action, ...]:
    """All of it off the host."""
    return (
        CloseMetadata(network_id),
        StopDnsmasq(Key(Network.KIND, network_id)),
        RemoveService(network_id, namespace, outer),
    )


def router(
    router_id: str, interior: RouterInterior, nat: tuple[Nat, str], files: Files | None, seen: RouterSeen
) -> tuple[Action, ...]:
    """Translation before addresses and forwarding: no packet leaves untranslated. ``nat`` is with its digest."""
    namespace, wanted = interior.namespace, interior.inside
    actions: list[Action] = [RemoveLink(outer) for outer in _stale(interior, seen)]
    if not seen.is_namespace:
        actions.append(MakeRouter(namespace))
    there = seen.inside.links if seen.inside else {}
    for link in interior.links:
        is_made = link.name not in there
        mtu = wanted.links[link.name].mtu
        if is_made:
            actions.append(MakeLink(namespace, link))
        if is_made or link.outer not in seen.plugged or seen.outer.get(link.outer) != mtu:
            actions.append(PlugLink(router_id, link, mtu))
    if seen.nat != nat[1] or not seen.is_namespace:
        moved = moved_addresses(seen.translated, nat[0]) if seen.translated and seen.nat else None
        actions.append(ApplyNat(router_id, namespace, *nat, moved))
    if seen.inside != wanted:
        actions.append(FurnishRouter(namespace, wanted))
    actions += dnsmasq(Key(Router.KIND, router_id), namespace, files, seen)
    if news := tuple(sorted(announcements(wanted, seen.wired) - seen.announced)):
        actions.append(Announce(namespace, news))
    return tuple(actions)


def announcements(inside: Inside, wired: frozenset[str]) -> frozenset[Announcement]:
    """All that neighbours are to know of the links that are ``wired``."""
    found = ((name, state) for name, state in inside.links.items() if name in wired)
    return frozenset(
        (name, state.mac_address, address.partition("/")[0])
        for name, state in found
        for address in state.addresses
    )


def no_router(router_id: str, namespace: str, outers: Iterable[str]) -> tuple[Action, ...]:
    """All of it off the host."""
    return (
        StopDnsmasq(Key(Router.KIND, router_id)),
        *(RemoveLink(outer) for outer in sorted(outers)),
        RemoveRouter(router_id, namespace),
    )


def _stale(interior: RouterInterior, seen: RouterSeen) -> list[str]:
    return sorted({*seen.outer, *seen.plugged} - {link.outer for link in interior.links})


def _may_read_again(before: Files, after: Files) -> bool:
    is_kept = set(before.hosts.splitlines()) <= set(after.hosts.splitlines())
    return before.config == after.config and is_kept


def _marked_ofport(text: str) -> int | None:
    first = text.partition(" ")[0]
    return int(first) if first.isascii() and first.isdigit() else None
