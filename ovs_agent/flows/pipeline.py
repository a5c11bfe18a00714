"""Owner → flows: which compiler makes the flows of which document, and what they depend on."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from contract.address_group import AddressGroup
from contract.document import Key
from contract.network import Network
from contract.security_group import SecurityGroup
from contract.segment import Segment
from ovs_agent.flows import epoch, network, port, provider, remote, security_group, tunnel
from ovs_agent.flows.flow import Compiled
from ovs_agent.flows.network import Seat
from ovs_agent.flows.tunnel import Plumbing

#: Networks without a VNI are numbered from here, above all 24 bits of VXLAN.
FIRST_LOCAL_NUMBER = 1 << 24


@dataclass
class View:
    """All that flows are made of: documents, and where things are plugged on this host."""

    epoch: int = 0
    plumbing: Plumbing | None = None
    seats: dict[str, Seat] = field(default_factory=dict)
    services: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)
    segments: dict[str, Segment] = field(default_factory=dict)
    groups: dict[str, SecurityGroup] = field(default_factory=dict)
    address_groups: dict[str, AddressGroup] = field(default_factory=dict)

    def owners(self) -> Iterable[Key]:
        """Everything that has flows."""
        yield from (epoch.CANARY, epoch.EVERYONE)
        yield from (Key("port", key) for key in self.seats)
        yield from (Key("segment", key) for key in self.segments)
        yield from (Key("security_group", key) for key in self.groups)
        yield from (Key("address_group", key) for key in self.address_groups)
        used = {seat.port.network_id for seat in self.seats.values()}
        yield from (Key("network", key) for key in sorted(used | set(self.services)))


def compile_owner(view: View, owner: Key) -> Compiled:
    """The flows that ``owner`` should have now; none when it is gone."""
    if owner == epoch.CANARY:
        return epoch.canary(view.epoch)
    if owner == epoch.EVERYONE:
        return _everyone(view)
    if owner.kind == "port":
        return _port(view, owner.id)
    if owner.kind == "network":
        return _network(view, owner.id)
    if owner.kind == "security_group" and owner.id in view.groups:
        return security_group.compile_group(view.groups[owner.id])
    if owner.kind == "address_group" and owner.id in view.address_groups:
        return remote.compile_address_group(view.address_groups[owner.id])
    if owner.kind == "segment":
        return _segment(view, owner.id)
    return Compiled()


def _everyone(view: View) -> Compiled:
    shared = epoch.everyone()
    if view.plumbing is None:
        return shared
    joint = tunnel.everyone(view.plumbing)
    return Compiled(shared.integration + joint.integration, joint.tunnel)


def _segment(view: View, network_id: str) -> Compiled:
    segment, number = view.segments.get(network_id), view.numbers.get(network_id)
    if segment is None or number is None or view.plumbing is None:
        return Compiled()
    if segment.network_type in provider.TYPES:
        uplink = view.plumbing.uplinks.get(segment.physical_network or "")
        return provider.compile_segment(segment, number, uplink)
    return tunnel.compile_segment(segment, number, view.plumbing)


def _port(view: View, port_id: str) -> Compiled:
    seat = view.seats.get(port_id)
    number = view.numbers.get(seat.port.network_id) if seat else None
    if seat is None or number is None:
        return Compiled()
    groups = [view.groups.get(group_id) for group_id in seat.port.security_group_ids]
    is_stateless = bool(groups) and all(group is not None and not group.is_stateful for group in groups)
    return port.compile_port(seat.port, seat.ofport, number, is_stateless, seat.trunk)


def _network(view: View, network_id: str) -> Compiled:
    number = view.numbers.get(network_id)
    seats = [seat for seat in view.seats.values() if seat.port.network_id == network_id]
    service = view.services.get(network_id)
    if number is None or (not seats and service is None):
        return Compiled()
    return network.compile_network(number, seats, view.networks.get(network_id), service)
