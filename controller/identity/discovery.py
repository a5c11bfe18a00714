"""Version documents: what clients read before anything else, without a token."""

from typing import Any

import falcon

from controller.identity.resource import IdentityResource
from controller.web.resource import answer, base_url


class VersionsApi(IdentityResource):
    """GET /: 300, the one version that is spoken."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists versions."""
        answer(resp, {"versions": {"values": [_version(req)]}}, 300)
        resp.set_header("Location", f"{base_url(req)}/v3/")


class VersionApi(IdentityResource):
    """GET /v3"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Shows the version."""
        answer(resp, {"version": _version(req)})


def _version(req: falcon.Request) -> dict[str, Any]:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{base_url(req)}/v3/"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }
