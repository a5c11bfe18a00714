"""Security group → flows that every port of the group shares.

A rule is compiled once a group, a member once a remote group; nothing is multiplied by ports or by rules.
A changed member touches one flow a direction (docs/decisions/0003-flow-pipeline.md says how this compares
with conjunction).
"""

from collections.abc import Iterable

from contract.security_group import Member, Rule, SecurityGroup
from ovs_agent.flows import addresses, protocols, tables
from ovs_agent.flows.flow import Compiled, Flow, load, unique
from ovs_agent.flows.remote import OTHER, leading, number

#: Distinct remote groups of one group that are obeyed; more would not fit one flow's actions.
_MOST_REMOTES = 500

_TABLES = {
    "egress": (tables.EGRESS_GROUP, tables.EGRESS_REMOTE, tables.EGRESS_RULES),
    "ingress": (tables.INGRESS_GROUP, tables.INGRESS_REMOTE, tables.INGRESS_RULES),
}
_VERSION = {"IPv4": 4, "IPv6": 6}


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
    named = {_remote(rule) for rule in rules if rule.direction == direction}
    remotes = sorted(name for name in named if name)
    if len(remotes) > _MOST_REMOTES:
        faults.append(f"{len(remotes) - _MOST_REMOTES} of {len(remotes)} remote groups are not obeyed")
    actions = [load(0, tables.REMOTE), f"resubmit(,{rules_table})"]
    for name in remotes[:_MOST_REMOTES]:
        actions += [load(number(name), tables.REMOTE), f"resubmit(,{remote_table})"]
    return Flow(group_table, 100, f"{tables.GROUP}={number(group_id):#x}", ",".join(actions))


def _rule(group_id: str, rule: Rule) -> list[Flow]:
    _, _, rules_table = _TABLES[rule.direction]
    version = _VERSION[rule.ethertype]
    name = _remote(rule)
    remote = number(name) if name else 0
    tail = ""
    if rule.remote_ip_prefix is not None:
        net = addresses.network(rule.remote_ip_prefix)
        if net.version != version:
            raise ValueError(f"prefix {rule.remote_ip_prefix} is not {rule.ethertype}")
        tail = f",{OTHER[rule.direction, version]}={addresses.prefix(net)}" if net.prefixlen else ""
    place = f",{tables.GROUP}={number(group_id):#x},{tables.REMOTE}={remote:#x}"
    kinds = protocols.matches(rule.ethertype, rule.protocol, rule.port_range_min, rule.port_range_max)
    return [Flow(rules_table, 100, kind + place + tail, load(1, tables.ALLOWED)) for kind in kinds]


def _member(group_id: str, member: Member, faults: list[str]) -> Iterable[Flow]:
    for text in member.ip_addresses:
        try:
            yield from leading(group_id, text)
        except ValueError as error:
            faults.append(f"member {member.port_id}: {error}")


def _remote(rule: Rule) -> str | None:
    """The security group or address group that must have the other side's address."""
    return rule.remote_group_id or rule.remote_address_group_id
