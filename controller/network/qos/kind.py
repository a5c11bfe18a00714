"""Every field of a QoS policy in the API, and what is special about policies in lists and look-ups."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network.collection import Kind, Related
from controller.network.qos.model import QosPolicy, QosRule
from controller.network.qos.rule_kinds import KINDS
from controller.network.rbac import model as rbac
from controller.network.rbac import shared
from controller.network.standard import NAME, STANDARD_FIELDS
from controller.network.tags import model as tags
from controller.web import schema
from controller.web.fields import Field, Fields, View, boolean, exact


def _rules(row: Any, view: View) -> list[dict[str, Any]]:
    return [KINDS[rule.kind].shown(rule) for rule in view.of("rules", row.id, [])]


POLICY = Fields(
    "policy",
    "policies",
    [
        Field(name="id", filter=exact, sort=True),
        NAME,
        shared.field(update=True),
        Field(
            name="is_default",
            schema=schema.LOOSE_BOOLEAN,
            create=True,
            update=True,
            default=False,
            store=schema.as_bool,
            filter=boolean,
        ),
        Field(name="rules", show=_rules),
        *STANDARD_FIELDS,
    ],
)


def _related(session: Session, rows: Sequence[Any]) -> Related:
    ids = [row.id for row in rows]
    rules: dict[str, list[Any]] = {}
    statement = select(QosRule.__table__).where(QosRule.policy_id.in_(ids))
    for rule in session.execute(statement.order_by(QosRule.kind, QosRule.direction)):
        rules.setdefault(rule.policy_id, []).append(rule)
    return {"rules": rules, "shared_with": shared.related(session, rows), "tags": tags.of(session, ids)}


KIND = Kind(
    name="qos_policy",
    fields=POLICY,
    model=QosPolicy,
    related=_related,
    shared=lambda caller: rbac.granted(QosPolicy.id, caller.own_project),
)
