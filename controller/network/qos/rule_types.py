"""``/qos/rule-types``: which kinds of rules hosts obey."""

import falcon

from controller.network import refusals
from controller.network.qos.rule_kinds import KINDS
from controller.web.resource import Resource, answer, params_of


class RuleTypes(Resource):
    """All kinds. Every host obeys all of them, so the filters of clients change nothing."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists them."""
        self.allow(req, "network:qos_rule_type:list")
        wanted = params_of(req).get("type", list(KINDS))
        answer(resp, {"rule_types": [{"type": name} for name in KINDS if name in wanted]})


class RuleType(Resource):
    """One kind."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Shows what it takes."""
        self.allow(req, "network:qos_rule_type:show")
        if name not in KINDS:
            raise refusals.missing("qos rule type", name)
        driver = {"name": "openvswitch", "supported_parameters": list(KINDS[name].parameters)}
        answer(resp, {"rule_type": {"type": name, "drivers": [driver]}})
