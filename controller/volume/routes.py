"""Every URL of the volume service. Each hangs at /v3 and, as before 3.67, at /v3/{project_id}."""

import functools
from collections.abc import Callable
from typing import Any

import falcon

from controller.volume import about, quotas, services
from controller.volume.attachments import api as attachments
from controller.volume.types import api as types
from controller.volume.versions import MICROVERSIONS
from controller.volume.volumes import actions, metadata
from controller.volume.volumes import api as volumes
from controller.web.app import Service
from controller.web.errors import BadRequest, NotFound, nova_envelope
from controller.web.resource import Cloud, Route, caller_of

Make = Callable[[Cloud], Any]

_SCOPED: list[tuple[str, Make]] = [
    ("/volumes", volumes.Volumes),
    ("/volumes/detail", volumes.VolumesDetail),
    ("/volumes/summary", volumes.Summary),
    ("/volumes/{volume_id}", volumes.VolumeItem),
    ("/volumes/{volume_id}/action", actions.VolumeAction),
    ("/volumes/{volume_id}/metadata", metadata.Metadata),
    ("/volumes/{volume_id}/metadata/{key}", metadata.MetadataItem),
    ("/attachments", attachments.Attachments),
    ("/attachments/detail", attachments.AttachmentsDetail),
    ("/attachments/{attachment_id}", attachments.AttachmentItem),
    ("/attachments/{attachment_id}/action", attachments.AttachmentAction),
    ("/types", types.Types),
    ("/types/{type_id}", types.Type),
    ("/types/{type_id}/action", types.TypeAction),
    ("/types/{type_id}/extra_specs", types.ExtraSpecs),
    ("/types/{type_id}/extra_specs/{key}", types.ExtraSpec),
    ("/types/{type_id}/os-volume-type-access", types.Access),
    ("/os-services", services.Services),
    ("/os-services/{action}", services.ServiceAction),
    ("/os-hosts", services.Hosts),
    ("/os-hosts/{host}", services.HostItem),
    ("/os-quota-sets/{target}", quotas.QuotaSet),
    ("/os-quota-sets/{target}/defaults", quotas.QuotaDefaults),
    ("/os-quota-class-sets/{name}", quotas.QuotaClass),
    ("/limits", quotas.Limits),
    ("/os-availability-zone", about.Zones),
    ("/scheduler-stats/get_pools", about.Pools),
    ("/extensions", about.Extensions),
    ("/extensions/{alias}", about.Extension),
]

_METHODS = ("get", "put", "post", "delete", "patch")


class _Scoped:
    """A resource behind a project id in its URL, which must be the token's project.

    A method that a resource has not is 404, as cinder's router answers.
    """

    def __init__(self, resource: Any) -> None:
        for method in _METHODS:
            responder = getattr(resource, f"on_{method}", None) or _nothing
            setattr(self, f"on_{method}", _checked(responder))


def _nothing(_req: falcon.Request, _resp: falcon.Response, **_params: str) -> None:
    raise NotFound("The resource could not be found.")


def _checked(responder: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(responder)
    def respond(req: falcon.Request, resp: falcon.Response, **params: str) -> None:
        project_id = params.pop("project_id", None)
        if project_id is not None and project_id != caller_of(req).own_project:
            raise BadRequest("Malformed request url: its project is not the token's.")
        responder(req, resp, **params)

    return respond


def _scoped(make: Make) -> Make:
    return lambda cloud: _Scoped(make(cloud))


ROUTES: list[Route] = [
    ("/", about.Versions),
    ("/v3", about.Version3),
    *((f"/v3{path}", _scoped(make)) for path, make in _SCOPED),
    *((f"/v3/{{project_id}}{path}", _scoped(make)) for path, make in _SCOPED),
]

SERVICE = Service(
    name="volume",
    prefix="/volume",
    routes=ROUTES,
    envelope=nova_envelope,
    versions=MICROVERSIONS,
    public=frozenset({"", "/", "/v3"}),
)
