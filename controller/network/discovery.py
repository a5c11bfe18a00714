"""What the service says about itself: its version, and the resources of the API."""

import falcon

from controller.web.resource import Resource, answer, base_url

#: Singular and plural of every resource under /v2.0.
RESOURCES = {
    "network": "networks",
    "subnet": "subnets",
    "port": "ports",
    "security-group": "security-groups",
    "security-group-rule": "security-group-rules",
    "router": "routers",
    "floatingip": "floatingips",
    "address-scope": "address-scopes",
    "auto-allocated-topology": "auto-allocated-topologies",
    "rbac-policy": "rbac-policies",
    "subnetpool": "subnetpools",
    "address-group": "address-groups",
    "default-security-group-rule": "default-security-group-rules",
    "service-provider": "service-providers",
    "quota": "quotas",
    "agent": "agents",
    "availability_zone": "availability_zones",
    "network-ip-availability": "network-ip-availabilities",
    "extension": "extensions",
}


class Versions(Resource):
    """``/``: open to everybody."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The one version."""
        link = {"rel": "self", "href": f"{base_url(req)}/v2.0/"}
        answer(resp, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]})


class Resources(Resource):
    """``/v2.0``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Names and places of the collections."""
        self.allow(req, "network:version:show")
        found = [
            {
                "name": name.replace("-", "_"),
                "collection": plural.replace("-", "_"),
                "links": [{"rel": "self", "href": f"{base_url(req)}/v2.0/{plural}"}],
            }
            for name, plural in RESOURCES.items()
        ]
        answer(resp, {"resources": found})
