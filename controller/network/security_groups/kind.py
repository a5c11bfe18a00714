"""What is special about security groups and rules in lists and look-ups."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network.collection import Kind, Related
from controller.network.rbac import model as rbac
from controller.network.rbac import shared
from controller.network.security_groups.fields import GROUP, RULE
from controller.network.security_groups.model import SecurityGroup, SecurityGroupRule
from controller.network.tags import model as tags


def _related(session: Session, rows: Sequence[Any]) -> Related:
    ids = [row.id for row in rows]
    rules: dict[str, list[Any]] = {}
    statement = (
        select(SecurityGroupRule.__table__)
        .where(SecurityGroupRule.group_id.in_(ids))
        .order_by(SecurityGroupRule.created_at, SecurityGroupRule.id)
    )
    for rule in session.execute(statement):
        rules.setdefault(rule.group_id, []).append(rule)
    return {"rules": rules, "tags": tags.of(session, ids), "shared_with": shared.related(session, rows)}


KIND = Kind(
    name="security_group",
    fields=GROUP,
    model=SecurityGroup,
    related=_related,
    shared=lambda caller: rbac.granted(SecurityGroup.id, caller.own_project),
)

RULE_KIND = Kind(
    name="security_group_rule",
    fields=RULE,
    model=SecurityGroupRule,
    related=lambda _session, _rows: {},
    shared=lambda caller: rbac.granted(SecurityGroupRule.group_id, caller.own_project),
)
