"""Who may do what: oslo.policy with defaults in code, decided once per (roles, scope, rule).

Rules speak of roles and scope only. That a resource is of the caller's project is settled before, by the
look-up: what is of another project is not found, so no rule ever sees it.
"""

import threading
from collections.abc import Iterable

from oslo_config import cfg
from oslo_policy import policy

from controller.web.caller import Caller
from controller.web.errors import Forbidden

#: Words for policies.py of the slices.
ADMIN = "role:admin"
MANAGER = "role:admin or role:manager"
MEMBER = "role:admin or role:manager or role:member"
READER = "role:admin or role:manager or role:member or role:reader"
SERVICE = "role:admin or role:service"
ANYONE = ""


class Policy:
    """The rules of all services, with what operators changed in ``policy.yaml``."""

    def __init__(self, conf: cfg.ConfigOpts, rules: Iterable[policy.RuleDefault]) -> None:
        self._enforcer = policy.Enforcer(conf, use_conf=True)
        self._enforcer.register_defaults(list(rules))
        self._enforcer.load_rules()
        self._decided: dict[tuple[frozenset[str], bool, bool, str], bool] = {}
        self._lock = threading.Lock()

    def allows(self, caller: Caller, rule: str) -> bool:
        """Whether the caller's roles and scope satisfy ``rule``. An unknown rule is a bug: it raises."""
        key = (caller.roles, bool(caller.project_id), caller.is_system, rule)
        decided = self._decided.get(key)
        if decided is None:
            with self._lock:
                decided = self._decided[key] = self._decide(caller, rule)
        return decided

    def check(self, caller: Caller, rule: str) -> None:
        """Raises Forbidden when the rule is not satisfied."""
        if not self.allows(caller, rule):
            raise Forbidden(f"Policy doesn't allow {rule} to be performed: ask for a role that may.")

    def _decide(self, caller: Caller, rule: str) -> bool:
        if rule not in self._enforcer.registered_rules:
            raise KeyError(f"policy rule {rule} is not registered")
        credentials = {
            "roles": sorted(caller.roles),
            "project_id": caller.project_id,
            "user_id": caller.user_id,
            "system_scope": "all" if caller.is_system else None,
            "domain_id": caller.domain_id,
        }
        return bool(self._enforcer.enforce(rule, {"project_id": caller.project_id}, credentials))


def rule(name: str, check: str, description: str) -> policy.RuleDefault:
    """A rule with its default, for the slices' policies.py."""
    return policy.RuleDefault(name, check, description=description)
