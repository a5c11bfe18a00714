"""The remote sides of rules: an address of a member of a security group, or of an address group, leads on to the rules
that name its group."""

import uuid
from collections.abc import Iterable

from contract.address_group import AddressGroup
from ovs_agent.flows import addresses, tables
from ovs_agent.flows.flow import Compiled, Flow, unique

_TABLES = {
    "egress": (tables.EGRESS_REMOTE, tables.EGRESS_RULES),
    "ingress": (tables.INGRESS_REMOTE, tables.INGRESS_RULES),
}
#: The field that holds the other side's address.
OTHER = {
    ("egress", 4): "nw_dst",
    ("egress", 6): "ipv6_dst",
    ("ingress", 4): "nw_src",
    ("ingress", 6): "ipv6_src",
}


def number(group_id: str) -> int:
    """The group as a register holds it: its UUID. Raises ValueError."""
    return uuid.UUID(group_id).int


def compile_address_group(group: AddressGroup) -> Compiled:
    """All flows of an address group, two an address; what is none is left out and named among the faults."""
    flows: list[Flow] = []
    faults: list[str] = []
    for text in group.addresses:
        try:
            flows += leading(group.id, text)
        except ValueError as error:
            faults.append(str(error))
    return Compiled(unique(flows), faults=tuple(faults))


def leading(group_id: str, text: str) -> Iterable[Flow]:
    """The flows of one address or prefix of a group. Raises ValueError."""
    net = addresses.network(text)
    kind = "ip" if net.version == 4 else "ipv6"
    for direction, (remote_table, rules_table) in _TABLES.items():
        other = f",{OTHER[direction, net.version]}={addresses.prefix(net)}" if net.prefixlen else ""
        match = f"{kind},{tables.REMOTE}={number(group_id):#x}{other}"
        yield Flow(remote_table, 100, match, f"resubmit(,{rules_table})")
