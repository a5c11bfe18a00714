"""The QoS API: policies, rules below them and under their own URLs, kinds of rules."""

from typing import Any, ClassVar

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import bodies, collection
from controller.network.collection import Collection, Member
from controller.network.qos import policies, rules
from controller.network.qos.kind import KIND
from controller.network.qos.model import QosPolicy, QosRule
from controller.network.qos.rule_kinds import BANDWIDTH_LIMIT, DSCP_MARKING, PACKET_RATE_LIMIT, RuleKind
from controller.web.caller import Caller
from controller.web.errors import NotFound
from controller.web.fields import Fields
from controller.web.resource import Resource, answer, body_of, no_content, params_of


class Policies(Collection):
    """``/qos/policies``."""

    kind = KIND

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> QosPolicy:
        """A policy."""
        return policies.create(session, values)


class PolicyMember(Member):
    """``/qos/policies/{row_id}``."""

    kind = KIND

    def update(self, session: Session, caller: Caller, row: QosPolicy, values: dict[str, Any]) -> None:
        """Its new values."""
        policies.update(session, row, values)

    def delete(self, session: Session, caller: Caller, row: QosPolicy) -> None:
        """Its end."""
        policies.delete(session, row)


class _Rules(Resource):
    """The rules of one kind of a policy."""

    rule_kind: ClassVar[RuleKind]

    def on_get(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Lists them."""
        caller, fields, params = (
            self.allow(req, "network:qos_rule:list"),
            self.rule_kind.fields,
            params_of(req),
        )
        statement = select(QosRule.__table__).where(
            QosRule.policy_id == row_id, QosRule.kind == self.rule_kind.name
        )
        with self.db.read() as session:
            collection.find(session, KIND, caller, row_id)
            rows, page, has_more = collection.paged(session, statement, QosRule, fields, params)
        body = fields.many(rows, self.view(req), params.get("fields", ()))
        answer(resp, {**body, **collection.links(req, fields.plural, rows, page, has_more)})

    def on_post(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """A new one, or several in one transaction."""
        caller, fields = self.allow(req, "network:qos_rule:create"), self.rule_kind.fields
        given, is_bulk = bodies.items(fields, body_of(req))
        values = [bodies.taken(fields, one, caller, self.cloud.policy) for one in given]

        def write(session: Session) -> list[QosRule]:
            policy = collection.owned(session, KIND, caller, row_id, "update")
            return [rules.create(session, policy, self.rule_kind, one) for one in values]

        rows, view = self.db.write(write), self.view(req)
        answer(resp, fields.many(rows, view) if is_bulk else fields.one(rows[0], view), 201)


class _Rule(Resource):
    """One rule, below its policy or under a URL of its own."""

    rule_kind: ClassVar[RuleKind]

    def on_get(self, req: falcon.Request, resp: falcon.Response, rule_id: str, row_id: str = "") -> None:
        """The rule."""
        caller = self.allow(req, "network:qos_rule:show")
        with self.db.read() as session:
            _, rule = self._found(session, caller, row_id, rule_id)
        fields = self._fields(row_id)
        only = params_of(req).get("fields", ())
        answer(resp, {fields.singular: fields.view(rule, self.view(req), only)})

    def on_put(self, req: falcon.Request, resp: falcon.Response, rule_id: str, row_id: str = "") -> None:
        """A change of it."""
        caller, fields = self.allow(req, "network:qos_rule:update"), self._fields(row_id)
        values = bodies.updated(fields, bodies.inner(fields, body_of(req)), caller, self.cloud.policy)

        def write(session: Session) -> QosRule:
            policy, rule = self._found(session, caller, row_id, rule_id, "update")
            rules.update(session, policy, rule, values)
            return rule

        answer(resp, fields.one(self.db.write(write), self.view(req)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, rule_id: str, row_id: str = "") -> None:
        """Its end."""
        caller = self.allow(req, "network:qos_rule:delete")
        self.db.write(
            lambda session: rules.delete(session, *self._found(session, caller, row_id, rule_id, "update"))
        )
        no_content(resp)

    def _fields(self, row_id: str) -> Fields:
        return self.rule_kind.fields if row_id else self.rule_kind.alias

    def _found(
        self, session: Session, caller: Caller, row_id: str, rule_id: str, verb: str = ""
    ) -> tuple[QosPolicy, QosRule]:
        """The rule with its policy, which the caller may see, or change if a verb is named."""
        statement = select(QosRule).where(QosRule.id == rule_id, QosRule.kind == self.rule_kind.name)
        rule = session.scalar(statement.where(QosRule.policy_id == row_id) if row_id else statement)
        policy_id = row_id or (rule.policy_id if rule else "")
        try:
            policy = (
                collection.owned(session, KIND, caller, policy_id, verb)
                if verb
                else collection.find(session, KIND, caller, policy_id)
            )
        except NotFound:
            if row_id:
                raise
            rule = None
        if rule is None:
            raise rules.missing(row_id, rule_id)
        return policy, rule


class BandwidthLimitRules(_Rules):
    """``/qos/policies/{row_id}/bandwidth_limit_rules``."""

    rule_kind = BANDWIDTH_LIMIT


class BandwidthLimitRule(_Rule):
    """One of them."""

    rule_kind = BANDWIDTH_LIMIT


class DscpMarkingRules(_Rules):
    """``/qos/policies/{row_id}/dscp_marking_rules``."""

    rule_kind = DSCP_MARKING


class DscpMarkingRule(_Rule):
    """One of them."""

    rule_kind = DSCP_MARKING


class PacketRateLimitRules(_Rules):
    """``/qos/policies/{row_id}/packet_rate_limit_rules``."""

    rule_kind = PACKET_RATE_LIMIT


class PacketRateLimitRule(_Rule):
    """One of them."""

    rule_kind = PACKET_RATE_LIMIT
