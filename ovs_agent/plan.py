"""Desired and seen in, actions out: pure. The order of the actions is the order of need."""

import msgspec

from contract.port import Port
from ovs_agent.namespaces.dhcp import Files
from ovs_agent.namespaces.metadata import Interior


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


class ServiceSeen(msgspec.Struct, frozen=True):
    """A network's services on this host."""

    is_namespace: bool
    is_plugged: bool
    files: Files | None
    is_dnsmasq: bool
    is_metadata: bool


class QuietTap(msgspec.Struct, frozen=True):
    """Keep the host's own IP stack off the tap."""

    name: str


class ForgetConnections(msgspec.Struct, frozen=True):
    """Empty the conntrack zone if it was used before: it may hold a former port's connections."""

    zone: int
    is_used: bool


class InstallFlows(msgspec.Struct, frozen=True):
    """Bring the flows of the port and its network into the switch."""

    port_id: str
    ofport: int


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
    """dnsmasq's files."""

    network_id: str
    files: Files


class StartDnsmasq(msgspec.Struct, frozen=True):
    """Start it, ending one that runs with an older configuration."""

    network_id: str
    namespace: str


class ReloadDnsmasq(msgspec.Struct, frozen=True):
    """Have it read hosts, options and names again."""

    network_id: str


class StopDnsmasq(msgspec.Struct, frozen=True):
    """End it and remove its files."""

    network_id: str


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


Action = (
    QuietTap
    | ForgetConnections
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


def service(
    network_id: str, interior: Interior, files: Files | None, seen: ServiceSeen
) -> tuple[Action, ...]:
    """Namespace, DHCP (None when no subnet is served), metadata. The namespace is gone over each time:
    that is cheap, and it heals what somebody took away."""
    actions: list[Action] = [MakeNamespace(interior)]
    if not seen.is_plugged or not seen.is_namespace:
        actions.append(PlugService(network_id, interior.outer, interior.mtu))
    actions += dnsmasq(network_id, interior, files, seen)
    if not seen.is_metadata or not seen.is_namespace:
        actions.append(OpenMetadata(network_id, interior))
    return tuple(actions)


def dnsmasq(network_id: str, interior: Interior, files: Files | None, seen: ServiceSeen) -> list[Action]:
    """Restarted for another configuration, told to read again for other hosts, else left alone."""
    if files is None:
        return [StopDnsmasq(network_id)] if seen.files is not None or seen.is_dnsmasq else []
    is_same = seen.files is not None and seen.files.config == files.config
    actions: list[Action] = [WriteFiles(network_id, files)] if seen.files != files else []
    if not is_same or not seen.is_dnsmasq or not seen.is_namespace:
        actions.append(StartDnsmasq(network_id, interior.namespace))
    elif actions:
        actions.append(ReloadDnsmasq(network_id))
    return actions


def no_service(network_id: str, namespace: str, outer: str) -> tuple[Action, ...]:
    """All of it off the host."""
    return (
        CloseMetadata(network_id),
        StopDnsmasq(network_id),
        RemoveService(network_id, namespace, outer),
    )


def _marked_ofport(text: str) -> int | None:
    first = text.partition(" ")[0]
    return int(first) if first.isascii() and first.isdigit() else None
