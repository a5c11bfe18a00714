"""``/availability_zones``: one zone, for networks."""

import falcon

from controller.network import options
from controller.web.resource import Resource, answer, params_of


class AvailabilityZones(Resource):
    """The zones that networks may be hinted to."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """All of them."""
        self.allow(req, "network:availability_zone:list")
        params = params_of(req)
        zone = {"name": options.settings().availability_zone, "resource": "network", "state": "available"}
        is_asked = all(zone[name] in params[name] for name in zone if name in params)
        answer(resp, {"availability_zones": [zone] if is_asked else []})
