"""Making and deleting rules of a security group."""

from collections import Counter
from collections.abc import Mapping, Sequence
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


def create(session: Session, caller: Caller, asked: Sequence[dict[str, Any]]) -> list[SecurityGroupRule]:
    """New rules, all or none; they belong to their groups' projects. Raises BadRequest, NotFound, Conflict.

    What is asked of the database grows with the groups that are named, not with the rules.
    """
    for values in asked:
        rule_check.normalize(values)
    for project_id in sorted({values["project_id"] for values in asked}):
        projects.lock(session, project_id)
    named = {values[name] for values in asked for name in ("group_id", "remote_group_id")} - {None}
    standard.lock(session, SecurityGroup, sorted(named))
    groups = _groups(session, caller, {values["group_id"] for values in asked})
    _check_remotes(session, caller, asked)
    for values in asked:
        values["project_id"] = groups[values["group_id"]].project_id
    for project_id, count in Counter(values["project_id"] for values in asked).items():
        limits.check(session, project_id, "security_group_rule", adding=count)
    _check_new(session, asked)
    rules = [SecurityGroupRule(**values) for values in asked]
    session.add_all(rules)
    session.flush()
    outbox.changed(session, "security_group", *sorted(groups))
    return rules


def delete(session: Session, rule: SecurityGroupRule) -> None:
    """Removes a rule."""
    standard.lock(session, SecurityGroup, [rule.group_id])
    affected = {rule.group_id, rule.remote_group_id or rule.group_id}
    session.delete(rule)
    session.flush()
    outbox.changed(session, "security_group", *sorted(affected))
    if rule.remote_address_group_id:
        outbox.changed(session, "address_group", rule.remote_address_group_id)


def _groups(session: Session, caller: Caller, ids: set[str]) -> dict[str, SecurityGroup]:
    found = {}
    for group_id in sorted(ids):
        group = session.get(SecurityGroup, group_id)
        if group is None or not (caller.is_admin or group.project_id == caller.own_project):
            raise refusals.missing("security group", group_id)
        found[group_id] = group
    return found


def _check_remotes(session: Session, caller: Caller, asked: Sequence[dict[str, Any]]) -> None:
    """What rules name as their other side is there for the caller, and nobody deletes it meanwhile."""
    for group_id in sorted({values["remote_group_id"] for values in asked} - {None}):
        collection.find(session, KIND, caller, group_id)
    remote = sorted({values["remote_address_group_id"] for values in asked} - {None})
    standard.lock(session, AddressGroup, remote)
    for group_id in remote:
        collection.find(session, ADDRESS_GROUPS, caller, group_id)


def _check_new(session: Session, asked: Sequence[dict[str, Any]]) -> None:
    """Two rules are the same when all but their descriptions are; protocols are compared by number."""
    columns = (SecurityGroupRule.id, SecurityGroupRule.protocol, SecurityGroupRule.group_id)
    statement = select(*columns, *(getattr(SecurityGroupRule, name) for name in IDENTITY)).where(
        SecurityGroupRule.group_id.in_({values["group_id"] for values in asked})
    )
    there = {
        _identity(dict(row)): f"Rule id is {row['id']}." for row in session.execute(statement).mappings()
    }
    for values in asked:
        same = there.get(_identity(values))
        if same is not None:
            raise refusals.in_use(f"Security group rule already exists. {same}", "SecurityGroupRuleExists")
        there[_identity(values)] = "It is asked for twice."


def _identity(rule: Mapping[str, Any]) -> tuple[Any, ...]:
    return (rule["group_id"], rule_check.number(rule["protocol"]), *(rule[name] for name in IDENTITY))
