"""Making a rule for the groups that are made from now on."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import collection, refusals, standard
from controller.network.address_groups.kind import KIND as ADDRESS_GROUPS
from controller.network.address_groups.model import AddressGroup
from controller.network.security_groups import rule_check
from controller.network.security_groups.default_rules import model
from controller.network.security_groups.default_rules.model import PARENT, DefaultRule
from controller.network.security_groups.kind import KIND as SECURITY_GROUPS
from controller.network.security_groups.model import SecurityGroup
from controller.network.security_groups.rules import IDENTITY
from controller.web.caller import Caller


def create(session: Session, caller: Caller, values: dict[str, Any]) -> DefaultRule:
    """A new rule; groups that are there keep what they have. Raises BadRequest, NotFound, Conflict."""
    rule_check.normalize(values)
    model.lock(session)
    _check_remote(session, caller, values)
    _check_new(session, values)
    rule = DefaultRule(**values)
    session.add(rule)
    session.flush()
    return rule


def _check_remote(session: Session, caller: Caller, values: dict[str, Any]) -> None:
    """What is named is there and nobody deletes it meanwhile: a group could not be made otherwise."""
    group_id, address_group_id = values["remote_group_id"], values["remote_address_group_id"]
    if group_id not in (None, PARENT):
        standard.lock(session, SecurityGroup, [group_id])
        collection.find(session, SECURITY_GROUPS, caller, group_id)
    if address_group_id:
        standard.lock(session, AddressGroup, [address_group_id])
        collection.find(session, ADDRESS_GROUPS, caller, address_group_id)


def _check_new(session: Session, values: dict[str, Any]) -> None:
    """No group gets the same rule twice."""
    for rule in session.scalars(select(DefaultRule)):
        is_met = any(getattr(rule, name) and values[name] for name in ("is_for_default", "is_for_others"))
        same_protocol = rule_check.number(rule.protocol) == rule_check.number(values["protocol"])
        if is_met and same_protocol and all(getattr(rule, name) == values[name] for name in IDENTITY):
            raise refusals.in_use(
                f"Default Security group rule already exists. Rule id is {rule.id}.",
                "DefaultSecurityGroupRuleExists",
            )
