"""Segment → a physical network: frames cross the patch to the operator's bridge, untagged or with one VLAN's tag."""

from collections.abc import Iterable

import msgspec

from contract.segment import Segment
from ovs_agent.flows import tables
from ovs_agent.flows.flow import Compiled, Flow, load, unique

#: Network types that a physical network carries.
TYPES = ("flat", "vlan")
_UNTAGGED = "vlan_tci=0x0000/0x1fff"
#: In OpenFlow's VLAN field: there is a tag.
_PRESENT = 0x1000


class Uplink(msgspec.Struct, frozen=True):
    """The bridge of a physical network, and the OpenFlow port of br-int's patch to it; None while not joined."""

    bridge: str
    ofport: int | None


def compile_segment(segment: Segment, network: int, uplink: Uplink | None) -> Compiled:
    """Flows of one segment; without its physical network it stays within the host, which is told as a fault."""
    if fault := _fault(segment, uplink):
        return Compiled(faults=(fault,))
    assert uplink is not None and uplink.ofport is not None
    return Compiled(unique(_flows(segment, network, uplink.ofport)))


def _flows(segment: Segment, network: int, patch: int) -> Iterable[Flow]:
    """Only frames of guests leave: what came from outside, or from the service port, never goes there."""
    vlan = segment.segmentation_id if segment.network_type == "vlan" else None
    entry = [load(network, tables.NETWORK), load(tables.FROM_PROVIDER, tables.ORIGIN)]
    entry.append(f"goto_table:{tables.FORWARD}")
    guest = f"{tables.NETWORK}={network:#x},{tables.ORIGIN}={tables.GUEST:#x}"
    if vlan is None:
        yield Flow(tables.CLASSIFY, 100, f"in_port={patch},{_UNTAGGED}", ",".join(entry))
        yield Flow(tables.UPLINK, 100, guest, f"output:{patch}")
        return
    yield Flow(tables.CLASSIFY, 100, f"in_port={patch},dl_vlan={vlan}", ",".join(["pop_vlan", *entry]))
    tagged = ("push_vlan:0x8100", load(_PRESENT | vlan, "vlan_vid"), f"output:{patch}", "pop_vlan")
    yield Flow(tables.UPLINK, 100, guest, ",".join(tagged))


def _fault(segment: Segment, uplink: Uplink | None) -> str:
    """Why the segment cannot be carried; empty when it can."""
    if segment.network_type == "vlan" and not 1 <= (segment.segmentation_id or 0) <= 4094:
        return f"{segment.segmentation_id} is no VLAN"
    if uplink is None:
        return f"physical network {segment.physical_network!r} is not in [ovs] bridge_mappings of this host"
    if uplink.ofport is None:
        return (
            f"physical network {segment.physical_network!r}: bridge {uplink.bridge} is not there, "
            "or of another datapath than br-int"
        )
    return ""
