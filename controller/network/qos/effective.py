"""Rows → what hosts are told of QoS: the limits of a port or of an outer address, and the mark of a port."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.qos import Limit
from controller.db.host_documents import filled
from controller.network.networks.model import Network
from controller.network.ports.model import GATEWAY_OWNER, Port
from controller.network.qos.model import QosRule
from controller.network.qos.rule_kinds import BANDWIDTH_LIMIT, DSCP_MARKING, PACKET_RATE_LIMIT

#: Burst where a rule names none, as a part of its rate: enough for TCP to reach the rate.
_BURST = 0.8


def policy_of_port(session: Session, port: Port) -> str | None:
    """Its own, or its network's; the cloud's own devices take none of their network but where it leads outside."""
    is_device = port.device_owner.startswith("network:") and port.device_owner != GATEWAY_OWNER
    if port.qos_policy_id or is_device:
        return port.qos_policy_id
    return session.scalar(select(Network.qos_policy_id).where(Network.id == port.network_id))


def rules(session: Session, policy_id: str | None) -> Sequence[QosRule]:
    """All rules of a policy; none of none."""
    return rules_of(session, [policy_id]).get(policy_id, ())


def rules_of(session: Session, policy_ids: Iterable[str | None]) -> Mapping[str | None, Sequence[QosRule]]:
    """The rules of several policies, by policy, in one query."""
    wanted = {policy_id for policy_id in policy_ids if policy_id}
    if not wanted:
        return {}
    statement = select(QosRule).where(QosRule.policy_id.in_(wanted)).order_by(QosRule.kind, QosRule.direction)
    found: dict[str | None, list[QosRule]] = {}
    for rule in session.scalars(statement.execution_options(populate_existing=True)):
        found.setdefault(rule.policy_id, []).append(rule)
    return found


def limits(rules: Iterable[QosRule]) -> tuple[Limit, ...]:
    """All limits among the rules of a policy."""
    return tuple(_limit(rule) for rule in rules if rule.kind in _UNITS and rule.value)


def bandwidth_limits(rules: Iterable[QosRule]) -> tuple[Limit, ...]:
    """Those that outer addresses have: of bandwidth."""
    return tuple(limit for limit in limits(rules) if limit.unit == "kbps")


def dscp_mark(rules: Iterable[QosRule]) -> int | None:
    """What packets are marked with."""
    return next((rule.value for rule in rules if rule.kind == DSCP_MARKING.name), None)


#: Unit of the contract, and how many of it are one of the API, by kind of rule.
_UNITS = {BANDWIDTH_LIMIT.name: ("kbps", 1), PACKET_RATE_LIMIT.name: ("pktps", 1000)}


def _limit(rule: QosRule) -> Limit:
    unit, factor = _UNITS[rule.kind]
    burst = rule.burst or max(1, int(rule.value * _BURST))
    return filled(Limit, rule, unit=unit, rate=rule.value * factor, burst=burst * factor)
