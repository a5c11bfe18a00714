"""Making and deleting rules of a security group."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.identity import projects
from controller.network import collection, limits, refusals, standard
from controller.network.address_groups.kind import KIND as ADDRESS_GROUPS
from controller.network.address_groups.model import AddressGroup
from controller.network.security_groups import rule_check
from controller.network.security_groups.kind import KIND
from controller.network.security_groups.model import SecurityGroup, SecurityGroupRule
from controller.web.caller import Caller

#: What two rules that are the same have in common, besides the protocol's number.
IDENTITY = (
    "direction",
    "ethertype",
    "port_range_min",
    "port_range_max",
    "remote_ip_prefix",
    "remote_group_id",
    "remote_address_group_id",
)


def create(session: Session, caller: Caller, values: dict[str, Any]) -> SecurityGroupRule:
    """A new rule; it belongs to its group's project. Raises BadRequest, NotFound, Conflict."""
    rule_check.normalize(values)
    projects.lock(session, values["project_id"])
    standard.lock(session, SecurityGroup, [values["group_id"]])
    group = _group(session, caller, values["group_id"])
    if values["remote_group_id"]:
        collection.find(session, KIND, caller, values["remote_group_id"])
    if values["remote_address_group_id"]:
        standard.lock(session, AddressGroup, [values["remote_address_group_id"]])
        collection.find(session, ADDRESS_GROUPS, caller, values["remote_address_group_id"])
    limits.check(session, group.project_id, "security_group_rule")
    _check_new(session, values)
    values["project_id"] = group.project_id
    rule = SecurityGroupRule(**values)
    session.add(rule)
    session.flush()
    outbox.changed(session, "security_group", group.id)
    return rule


def delete(session: Session, rule: SecurityGroupRule) -> None:
    """Removes a rule."""
    standard.lock(session, SecurityGroup, [rule.group_id])
    affected = {rule.group_id, rule.remote_group_id or rule.group_id}
    session.delete(rule)
    session.flush()
    outbox.changed(session, "security_group", *sorted(affected))
    if rule.remote_address_group_id:
        outbox.changed(session, "address_group", rule.remote_address_group_id)


def _group(session: Session, caller: Caller, group_id: str) -> SecurityGroup:
    group = session.get(SecurityGroup, group_id)
    if group is None or not (caller.is_admin or group.project_id == caller.own_project):
        raise refusals.missing("security group", group_id)
    return group


def _check_new(session: Session, values: dict[str, Any]) -> None:
    """Two rules are the same when all but their descriptions are; protocols are compared by number."""
    statement = select(SecurityGroupRule).where(SecurityGroupRule.group_id == values["group_id"])
    wanted = tuple(values[name] for name in IDENTITY)
    for rule in session.scalars(statement):
        same_protocol = rule_check.number(rule.protocol) == rule_check.number(values["protocol"])
        if same_protocol and tuple(getattr(rule, name) for name in IDENTITY) == wanted:
            raise refusals.in_use(
                f"Security group rule already exists. Rule id is {rule.id}.", "SecurityGroupRuleExists"
            )
