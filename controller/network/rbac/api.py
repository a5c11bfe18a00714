"""The API of policies of access."""

from typing import Any

from sqlalchemy.orm import Session

from controller.network import refusals
from controller.network.collection import Collection, Kind, Member
from controller.network.rbac import model, policies
from controller.network.rbac.fields import RBAC_POLICY
from controller.network.rbac.model import RbacPolicy
from controller.web.caller import Caller
from controller.web.policy import Policy

KIND = Kind(name="rbac_policy", fields=RBAC_POLICY, model=RbacPolicy, related=lambda _session, _rows: {})


class RbacPolicies(Collection):
    """``/rbac-policies``."""

    kind = KIND

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> RbacPolicy:
        """A policy."""
        _check_target(self.cloud.policy, caller, values)
        if "target_project" not in values:
            raise refusals.malformed(
                "Failed to parse request. Required attribute 'target_tenant' not specified"
            )
        return policies.create(session, caller, values)


class RbacPolicyMember(Member):
    """``/rbac-policies/{row_id}``."""

    kind = KIND

    def update(self, session: Session, caller: Caller, row: RbacPolicy, values: dict[str, Any]) -> None:
        """Another project has the access."""
        _check_target(self.cloud.policy, caller, values)
        policies.update(session, caller, row, values)

    def delete(self, session: Session, caller: Caller, row: RbacPolicy) -> None:
        """The access ends."""
        policies.delete(session, caller, row)


def _check_target(policy: Policy, caller: Caller, values: dict[str, Any]) -> None:
    rule = "network:rbac_policy:wildcard"
    if values.get("target_project") == model.EVERYBODY and not policy.allows(caller, rule):
        raise refusals.disallowed(rule, "a policy for every project is for administrators.")
