"""Every URL of placement."""

from typing import Any

import falcon

from controller.placement.aggregates import AggregatesApi
from controller.placement.candidates import CandidatesApi
from controller.placement.consumers import AllocationsApi, ConsumerAllocationsApi, ProviderAllocationsApi
from controller.placement.endpoint import Endpoint, reply
from controller.placement.inventories import InventoriesApi, InventoryApi
from controller.placement.providers_api import ProviderApi, ProvidersApi
from controller.placement.reshaper import ReshaperApi
from controller.placement.resource_classes import ResourceClassApi, ResourceClassesApi
from controller.placement.traits import ProviderTraitsApi, TraitApi, TraitsApi
from controller.placement.usages import ProviderUsagesApi, UsagesApi
from controller.placement.versions import MICROVERSIONS
from controller.web.app import Service
from controller.web.errors import ApiError, Envelope, placement_envelope
from controller.web.resource import Route
from runtime import log


class RootApi(Endpoint):
    """/"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The versions that are spoken; needs no token."""
        version = {
            "id": f"v{MICROVERSIONS.minimum}",
            "min_version": str(MICROVERSIONS.minimum),
            "max_version": str(MICROVERSIONS.maximum),
            "status": "CURRENT",
            "links": [{"rel": "self", "href": ""}],
        }
        reply(req, resp, {"versions": [version]})


ROUTES: list[Route] = [
    ("/", RootApi),
    ("/resource_classes", ResourceClassesApi),
    ("/resource_classes/{name}", ResourceClassApi),
    ("/resource_providers", ProvidersApi),
    ("/resource_providers/{uuid}", ProviderApi),
    ("/resource_providers/{uuid}/inventories", InventoriesApi),
    ("/resource_providers/{uuid}/inventories/{resource_class}", InventoryApi),
    ("/resource_providers/{uuid}/usages", ProviderUsagesApi),
    ("/resource_providers/{uuid}/aggregates", AggregatesApi),
    ("/resource_providers/{uuid}/traits", ProviderTraitsApi),
    ("/resource_providers/{uuid}/allocations", ProviderAllocationsApi),
    ("/allocations", AllocationsApi),
    ("/allocations/{consumer_uuid}", ConsumerAllocationsApi),
    ("/allocation_candidates", CandidatesApi),
    ("/traits", TraitsApi),
    ("/traits/{name}", TraitApi),
    ("/usages", UsagesApi),
    ("/reshaper", ReshaperApi),
]


def _envelope(error: ApiError) -> Envelope:
    """The original's list of errors, with the request id, and the range for an unspeakable version."""
    shown: dict[str, Any] = placement_envelope(error)
    shown["errors"][0]["request_id"] = log.request_id()
    if error.status == 406:
        shown["errors"][0]["min_version"] = str(MICROVERSIONS.minimum)
        shown["errors"][0]["max_version"] = str(MICROVERSIONS.maximum)
    return shown


SERVICE = Service(
    name="placement",
    prefix="/placement",
    routes=ROUTES,
    envelope=_envelope,
    versions=MICROVERSIONS,
    public=frozenset({"", "/"}),
)
