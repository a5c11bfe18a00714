"""``/service-providers``: how services of the network are carried. There is one way for routers."""

from typing import Any

import falcon

from controller.web.fields import boolean
from controller.web.resource import Resource, answer, params_of

#: A router is whole on one host: what the original calls a provider of this name.
PROVIDERS: list[dict[str, Any]] = [
    {"service_type": "L3_ROUTER_NAT", "name": "single_node", "default": True},
]


class ServiceProviders(Resource):
    """``/service-providers``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """All of them, or those that are asked for."""
        self.allow(req, "network:service_provider:list")
        params = params_of(req)
        only = params.get("fields")
        found = [row for row in PROVIDERS if all(_is_asked(row, name, params) for name in row)]
        shown = [{n: v for n, v in row.items() if not only or n in only} for row in found]
        answer(resp, {"service_providers": shown})


def _is_asked(row: dict[str, Any], name: str, params: dict[str, list[str]]) -> bool:
    if name not in params:
        return True
    if name != "default":
        return row[name] in params[name]
    return any(_reads_as(text, row[name]) for text in params[name])


def _reads_as(text: str, value: bool) -> bool:
    try:
        return boolean(text) == value
    except ValueError:
        return False
