"""Security group → flows that every port of the group shares.

A rule is compiled once a group, a member once a remote group; nothing is multiplied by ports or by rules.
A changed member touches one flow a direction (docs/decisions/0003-flow-pipeline.md says how this compares
with conjunction).
"""

import uuid
from collections.abc import Iterable

from contract.security_group import Member, Rule, SecurityGroup
from ovs_agent.flows import addresses, protocols, tables
from ovs_agent.flows.flow import Compiled, Flow, load, unique

#: Distinct remote groups of one group that are obeyed; more would not fit one flow's actions.
_MOST_REMOTES = 500

_TABLES = {
    "egress": (tables.EGRESS_GROUP, tables.EGRESS_REMOTE, tables.EGRESS_RULES),
    "ingress": (tables.INGRESS_GROUP, tables.INGRESS_REMOTE, tables.INGRESS_RULES),
}
#: The field that holds the other side's address.
_OTHER = {
    ("egress", 4): "nw_dst",
    ("egress", 6): "ipv6_dst",
    ("ingress", 4): "nw_src",
    ("ingress", 6): "ipv6_src",
}
_VERSION = {"IPv4": 4, "IPv6": 6}


def number(group_id: str) -> int:
    """The group as a register holds it: its UUID. Raises ValueError."""
    return uuid.UUID(group_id).int


def compile_group(group: SecurityGroup) -> Compiled:
    """All flows of a group; a rule that cannot be expressed is left out and named among the faults."""
    flows: list[Flow] = []
    faults: list[str] = []
    good: list[Rule] = []
    for rule in group.rules:
        try:
            flows += _rule(group.id, rule)
            good.append(rule)
        except (ValueError, KeyError) as error:
            faults.append(f"rule {rule.id}: {error}")
    for direction in _TABLES:
        flows.append(_group(group.id, direction, good, faults))
    for member in group.members:
        flows += _member(group.id, member, faults)
    return Compiled(unique(flows), faults=tuple(faults))


def _group(group_id: str, direction: str, rules: Iterable[Rule], faults: list[str]) -> Flow:
    group_table, remote_table, rules_table = _TABLES[direction]
    named = {r.remote_group_id for r in rules if r.direction == direction and r.remote_group_id}
    remotes = sorted(named)
    if len(remotes) > _MOST_REMOTES:
        faults.append(f"{len(remotes) - _MOST_REMOTES} of {len(remotes)} remote groups are not obeyed")
    actions = [load(0, tables.REMOTE), f"resubmit(,{rules_table})"]
    for remote in remotes[:_MOST_REMOTES]:
        actions += [load(number(remote), tables.REMOTE), f"resubmit(,{remote_table})"]
    return Flow(group_table, 100, f"{tables.GROUP}={number(group_id):#x}", ",".join(actions))


def _rule(group_id: str, rule: Rule) -> list[Flow]:
    _, _, rules_table = _TABLES[rule.direction]
    version = _VERSION[rule.ethertype]
    remote = number(rule.remote_group_id) if rule.remote_group_id else 0
    tail = ""
    if rule.remote_ip_prefix is not None:
        net = addresses.network(rule.remote_ip_prefix)
        if net.version != version:
            raise ValueError(f"prefix {rule.remote_ip_prefix} is not {rule.ethertype}")
        tail = f",{_OTHER[rule.direction, version]}={addresses.prefix(net)}" if net.prefixlen else ""
    place = f",{tables.GROUP}={number(group_id):#x},{tables.REMOTE}={remote:#x}"
    kinds = protocols.matches(rule.ethertype, rule.protocol, rule.port_range_min, rule.port_range_max)
    return [Flow(rules_table, 100, kind + place + tail, load(1, tables.ALLOWED)) for kind in kinds]


def _member(group_id: str, member: Member, faults: list[str]) -> Iterable[Flow]:
    for text in member.ip_addresses:
        try:
            net = addresses.network(text)
        except ValueError as error:
            faults.append(f"member {member.port_id}: {error}")
            continue
        kind = "ip" if net.version == 4 else "ipv6"
        for direction, (_, remote_table, rules_table) in _TABLES.items():
            other = f",{_OTHER[direction, net.version]}={addresses.prefix(net)}" if net.prefixlen else ""
            match = f"{kind},{tables.REMOTE}={number(group_id):#x}{other}"
            yield Flow(remote_table, 100, match, f"resubmit(,{rules_table})")
