"""Making, changing and deleting rules of QoS policies."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import refusals, standard
from controller.network.qos.model import QosPolicy, QosRule
from controller.network.qos.rule_kinds import RuleKind
from controller.web.errors import NotFound


def create(session: Session, policy: QosPolicy, kind: RuleKind, values: dict[str, Any]) -> QosRule:
    """A new rule. Raises Conflict for a second one of its kind and direction."""
    rule = QosRule(policy_id=policy.id, kind=kind.name, **{"direction": "egress", **values})
    _check_apart(rule, _locked(session, policy))
    session.add(rule)
    _tell(session, policy)
    return rule


def update(session: Session, policy: QosPolicy, rule: QosRule, values: dict[str, Any]) -> None:
    """Writes the change. Raises Conflict for a second one of its kind and direction."""
    others = _others(session, policy, rule)
    for name, value in values.items():
        setattr(rule, name, value)
    with session.no_autoflush:
        _check_apart(rule, others)
    _tell(session, policy)


def delete(session: Session, policy: QosPolicy, rule: QosRule) -> None:
    """Removes a rule. Raises NotFound."""
    _others(session, policy, rule)
    session.delete(rule)
    _tell(session, policy)


def _locked(session: Session, policy: QosPolicy) -> Sequence[QosRule]:
    """The policy's rules as they are now, with nobody else changing them."""
    standard.lock_row(session, policy, "qos policy")
    statement = select(QosRule).where(QosRule.policy_id == policy.id)
    return session.scalars(statement.execution_options(populate_existing=True)).all()


def _others(session: Session, policy: QosPolicy, rule: QosRule) -> Sequence[QosRule]:
    """The other rules, locked. Raises NotFound for a rule that went meanwhile."""
    rules = _locked(session, policy)
    if rule not in rules:
        raise missing(policy.id, rule.id)
    return [other for other in rules if other is not rule]


def missing(policy_id: str, rule_id: str) -> NotFound:
    """The error for a rule that is not there, or not of the policy."""
    return refusals.absent(
        f"QoS rule {rule_id} for policy {policy_id} could not be found.", "QosRuleNotFound"
    )


def _check_apart(rule: QosRule, others: Sequence[QosRule]) -> None:
    for other in others:
        if (other.kind, other.direction) == (rule.kind, rule.direction):
            raise refusals.in_use(
                f"Rule {rule.kind} conflicts with rule {other.id} which already exists in "
                f"QoS Policy {rule.policy_id}.",
                "QoSRulesConflict",
            )


def _tell(session: Session, policy: QosPolicy) -> None:
    standard.touch(policy)
    session.flush()
    outbox.changed(session, "qos_policy", policy.id)
