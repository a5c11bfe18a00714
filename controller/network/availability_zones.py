"""``/availability_zones``: one zone, for networks and for routers."""

import falcon

from controller.network import options
from controller.web.resource import Resource, answer, params_of


class AvailabilityZones(Resource):
    """The zones that networks and routers may be hinted to."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """All of them."""
        self.allow(req, "network:availability_zone:list")
        params = params_of(req)
        name = options.settings().availability_zone
        zones = [{"name": name, "resource": r, "state": "available"} for r in ("network", "router")]
        found = [zone for zone in zones if all(zone[n] in params[n] for n in zone if n in params)]
        answer(resp, {"availability_zones": found})
