"""Subport → its way in and out: frames of its parent's tap that have its tag (decision 18).

In between it is a port like others. It has no OpenFlow port: a number that no tap has stands for it.
"""

from contract.port import Port
from ovs_agent.flows import tables
from ovs_agent.flows.flow import load

#: Numbers of subports are given downwards from the highest conntrack zone; Open vSwitch gives those of taps upwards.
HIGHEST_NUMBER, LOWEST_NUMBER = 65_534, 32_768
#: In OpenFlow's VLAN field: there is a tag.
_PRESENT = 0x1000


def arriving(port: Port, tap: int) -> str:
    """What matches frames of a subport, by the OpenFlow port of its parent's tap. Raises ValueError for no tag."""
    return f"in_port={tap},dl_vlan={_tag(port)}"


def delivered(port: Port, tap: int) -> str:
    """Actions that send a frame out to a subport, and leave it as it was for others who get a copy."""
    tag = load(_PRESENT | _tag(port), "vlan_vid")
    return f"push_vlan:0x8100,{tag},output:{tap},pop_vlan"


def to_tap() -> str:
    """The action that sends a frame out to a port with a tap of its own."""
    return f"output:{tables.TO}"


def _tag(port: Port) -> int:
    if port.segmentation_id is None or not 1 <= port.segmentation_id <= 4094:
        raise ValueError(f"{port.segmentation_id} is no VLAN")
    return port.segmentation_id
