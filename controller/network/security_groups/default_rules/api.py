"""The API of the rules that new security groups begin with."""

from typing import Any

import falcon
from sqlalchemy.orm import Session

from controller.network.collection import Collection, Member
from controller.network.security_groups.default_rules import model
from controller.network.security_groups.default_rules.create import create
from controller.network.security_groups.default_rules.kind import KIND
from controller.network.security_groups.default_rules.model import DefaultRule
from controller.web.caller import Caller
from controller.web.errors import MethodNotAllowed


class DefaultRules(Collection):
    """``/default-security-group-rules``."""

    kind = KIND

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """All of them; the first look writes the first ones."""
        self.allow(req, "network:default_security_group_rule:list")
        with self.db.read() as session:
            are_there = model.are_there(session)
        if not are_there:
            self.db.write(model.ensure)
        super().on_get(req, resp)

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> DefaultRule:
        """A rule for the groups that are made from now on."""
        return create(session, caller, values)


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
