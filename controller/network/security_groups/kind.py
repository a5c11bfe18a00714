"""What is special about security groups and rules in lists and look-ups."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network.collection import Kind, Related
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
    return {"rules": rules, "tags": tags.of(session, ids)}


KIND = Kind(name="security_group", fields=GROUP, model=SecurityGroup, related=_related)

RULE_KIND = Kind(
    name="security_group_rule",
    fields=RULE,
    model=SecurityGroupRule,
    related=lambda _session, _rows: {},
)
