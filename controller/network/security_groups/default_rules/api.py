"""The API of the rules that new security groups begin with."""

from typing import Any

import falcon
from sqlalchemy import select, true
from sqlalchemy.orm import Session

from controller.network import collection, refusals
from controller.network.address_groups.kind import KIND as ADDRESS_GROUPS
from controller.network.collection import Collection, Kind, Member
from controller.network.security_groups import default_rules, rule_check
from controller.network.security_groups.default_rules import PARENT, DefaultRule
from controller.network.security_groups.fields import RULE
from controller.network.security_groups.kind import KIND as SECURITY_GROUPS
from controller.network.security_groups.rules import IDENTITY
from controller.network.standard import OWNER
from controller.web import schema
from controller.web.caller import Caller
from controller.web.errors import MethodNotAllowed
from controller.web.fields import Field, Fields, boolean, exact


def _use(name: str, attr: str, default: bool) -> Field:
    return Field(
        name=name,
        attr=attr,
        schema=schema.LOOSE_BOOLEAN,
        create=True,
        default=default,
        store=schema.as_bool,
        filter=boolean,
    )


_OF_RULES = (
    "id",
    "direction",
    "ethertype",
    "protocol",
    "port_range_min",
    "port_range_max",
    "remote_ip_prefix",
    "remote_group_id",
    "remote_address_group_id",
)

DEFAULT_RULE = Fields(
    "default_security_group_rule",
    "default_security_group_rules",
    [
        *(RULE.by_name[name] for name in _OF_RULES),
        Field(
            name="description",
            schema=RULE.by_name["description"].schema,
            create=True,
            default="",
            filter=exact,
        ),
        _use("used_in_default_sg", "is_for_default", False),
        _use("used_in_non_default_sg", "is_for_others", True),
        *(
            Field(name=name, schema=OWNER, create=True, is_shown=False)
            for name in ("project_id", "tenant_id")
        ),
    ],
)

KIND = Kind(
    name="default_security_group_rule",
    fields=DEFAULT_RULE,
    model=DefaultRule,
    related=lambda _session, _rows: {},
    shared=lambda _caller: true(),
)


class DefaultRules(Collection):
    """``/default-security-group-rules``."""

    kind = KIND

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """All of them; the first look writes the first ones."""
        self.allow(req, "network:default_security_group_rule:list")
        with self.db.read() as session:
            are_there = default_rules.are_there(session)
        if not are_there:
            self.db.write(default_rules.ensure)
        super().on_get(req, resp)

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> DefaultRule:
        """A rule for the groups that are made from now on."""
        rule_check.normalize(values)
        default_rules.ensure(session)
        _check_remote(session, caller, values)
        _check_new(session, values)
        rule = DefaultRule(**values)
        session.add(rule)
        session.flush()
        return rule


class DefaultRuleMember(Member):
    """``/default-security-group-rules/{row_id}``: rules are never changed."""

    kind = KIND

    def on_put(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Refused."""
        self.allow(req, "network:default_security_group_rule:show")
        raise MethodNotAllowed("A default security group rule is not changed: delete it and make another.")

    def delete(self, session: Session, caller: Caller, row: DefaultRule) -> None:
        """New groups begin without it; those that are there keep what they have."""
        session.delete(row)


def _check_remote(session: Session, caller: Caller, values: dict[str, Any]) -> None:
    """What is named must be there: a group could not be made otherwise."""
    if values["remote_group_id"] not in (None, PARENT):
        collection.find(session, SECURITY_GROUPS, caller, values["remote_group_id"])
    if values["remote_address_group_id"]:
        collection.find(session, ADDRESS_GROUPS, caller, values["remote_address_group_id"])


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
