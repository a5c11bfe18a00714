"""The APIs of security groups and their rules."""

from collections.abc import Sequence
from typing import Any

import falcon
from sqlalchemy.orm import Session

from controller.network.collection import Collection, Member
from controller.network.security_groups import default, rules
from controller.network.security_groups.create import create
from controller.network.security_groups.delete import delete
from controller.network.security_groups.kind import KIND, RULE_KIND
from controller.network.security_groups.model import SecurityGroup, SecurityGroupRule
from controller.network.security_groups.update import update
from controller.web.caller import Caller
from controller.web.errors import MethodNotAllowed


class SecurityGroups(Collection):
    """``/security-groups``."""

    kind = KIND

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Those that the caller may see; the first look makes the project's default group."""
        caller = self.allow(req, "network:security_group:list")
        if caller.project_id:
            with self.db.read() as session:
                is_there = default.existing(session, caller.project_id) is not None
            if not is_there:
                self.db.write(lambda s: default.ensure_alone(s, caller.own_project))
        super().on_get(req, resp)

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> SecurityGroup:
        """A group."""
        return create(session, values)


class SecurityGroupMember(Member):
    """``/security-groups/{row_id}``."""

    kind = KIND

    def update(self, session: Session, caller: Caller, row: SecurityGroup, values: dict[str, Any]) -> None:
        """Its new values."""
        update(session, row, values)

    def delete(self, session: Session, caller: Caller, row: SecurityGroup) -> None:
        """Its end."""
        delete(session, caller, row)


class SecurityGroupRules(Collection):
    """``/security-group-rules``."""

    kind = RULE_KIND

    def create_all(
        self, session: Session, caller: Caller, values: list[dict[str, Any]]
    ) -> Sequence[SecurityGroupRule]:
        """Rules, of one group or several."""
        return rules.create(session, caller, values)


class SecurityGroupRuleMember(Member):
    """``/security-group-rules/{row_id}``: rules are never changed."""

    kind = RULE_KIND

    def on_put(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Refused."""
        self.allow(req, "network:security_group_rule:show")
        raise MethodNotAllowed("A security group rule is not changed: delete it and make another.")

    def delete(self, session: Session, caller: Caller, row: SecurityGroupRule) -> None:
        """Its end."""
        rules.delete(session, row)
