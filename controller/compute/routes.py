"""Every URL of compute: the table of contents."""

from typing import Any

import falcon

from controller.compute import (
    aggregates,
    availability_zones,
    flavor_access,
    flavors,
    hypervisors,
    instance_actions,
    interfaces,
    keypairs,
    limits,
    security_groups,
    services,
    volume_attachments,
)
from controller.compute.servers import actions, api, metadata_api
from controller.web.app import Service
from controller.web.errors import nova_envelope
from controller.web.resource import Resource, Route, answer, base_url
from controller.web.versions import Microversions, Version

VERSIONS = Microversions("compute", Version(2, 1), Version(2, 100), "X-OpenStack-Nova-API-Version", ("nova",))


#: v2.0 is what clients from before microversions speak: it is 2.1 for good.
_APIS = {
    "v2": ("v2.0", "SUPPORTED", "", "", "2011-01-21T11:33:21Z", "2"),
    "v2.1": ("v2.1", "CURRENT", str(VERSIONS.maximum), str(VERSIONS.minimum), "2013-07-23T11:33:21Z", "2.1"),
}


def _brief(base: str, path: str) -> dict[str, Any]:
    name, status, maximum, minimum, updated, _media = _APIS[path]
    return {
        "id": name,
        "status": status,
        "version": maximum,
        "min_version": minimum,
        "updated": updated,
        "links": [{"rel": "self", "href": f"{base}/{path}/"}],
    }


def _document(base: str, path: str) -> dict[str, Any]:
    brief = _brief(base, path)
    described = {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"}
    media = f"application/vnd.openstack.compute+json;version={_APIS[path][-1]}"
    return {
        **brief,
        "links": [*brief["links"], described],
        "media-types": [{"base": "application/json", "type": media}],
    }


class Root(Resource):
    """/"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The list of versions."""
        answer(resp, {"versions": [_brief(base_url(req), path) for path in _APIS]})


class Api(Resource):
    """/v2 and /v2.1"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The version's document."""
        answer(resp, {"version": _document(base_url(req), req.path.strip("/"))})


_RESOURCES: list[Route] = [
    ("", Api),
    ("/flavors", flavors.Flavors),
    ("/flavors/detail", flavors.Flavors, "detail"),
    ("/flavors/{flavor_id}", flavors.FlavorItem),
    ("/flavors/{flavor_id}/action", flavor_access.FlavorAction),
    ("/flavors/{flavor_id}/os-flavor-access", flavor_access.FlavorAccesses),
    ("/flavors/{flavor_id}/os-extra_specs", flavors.ExtraSpecs),
    ("/flavors/{flavor_id}/os-extra_specs/{key}", flavors.ExtraSpec),
    ("/os-keypairs", keypairs.Keypairs),
    ("/os-keypairs/{name}", keypairs.KeypairItem),
    ("/servers", api.Servers),
    ("/servers/detail", api.Servers, "detail"),
    ("/servers/{server_id}", api.ServerItem),
    ("/servers/{server_id}/action", actions.ServerActions),
    ("/servers/{server_id}/metadata", metadata_api.Metadata),
    ("/servers/{server_id}/metadata/{key}", metadata_api.MetadataItem),
    ("/servers/{server_id}/ips", interfaces.Addresses),
    ("/servers/{server_id}/ips/{label}", interfaces.Addresses),
    ("/servers/{server_id}/os-interface", interfaces.Interfaces),
    ("/servers/{server_id}/os-interface/{port_id}", interfaces.Interface),
    ("/servers/{server_id}/os-volume_attachments", volume_attachments.Attachments),
    ("/servers/{server_id}/os-volume_attachments/{volume_id}", volume_attachments.Attachment),
    ("/servers/{server_id}/os-security-groups", security_groups.OfServer),
    ("/servers/{server_id}/os-instance-actions", instance_actions.Actions),
    ("/servers/{server_id}/os-instance-actions/{request_id}", instance_actions.Action),
    ("/os-security-groups", security_groups.SecurityGroups),
    ("/os-security-groups/{group_id}", security_groups.SecurityGroupItem),
    ("/os-security-group-rules", security_groups.SecurityGroupRules),
    ("/os-security-group-rules/{rule_id}", security_groups.SecurityGroupRuleItem),
    ("/os-aggregates", aggregates.Aggregates),
    ("/os-aggregates/{aggregate_id}", aggregates.AggregateItem),
    ("/os-aggregates/{aggregate_id}/action", aggregates.AggregateAction),
    ("/os-services", services.Services),
    ("/os-services/{service_id}", services.Service),
    ("/os-hypervisors", hypervisors.Hypervisors),
    ("/os-hypervisors/detail", hypervisors.Hypervisors, "detail"),
    ("/os-hypervisors/statistics", hypervisors.Statistics),
    ("/os-hypervisors/{hypervisor_id}", hypervisors.Hypervisor),
    ("/os-hypervisors/{hypervisor_id}/uptime", hypervisors.Uptime),
    ("/os-quota-sets/{project_id}", limits.QuotaSet),
    ("/os-quota-sets/{project_id}/detail", limits.QuotaSet, "detail"),
    ("/os-quota-sets/{project_id}/defaults", limits.QuotaSet, "defaults"),
    ("/os-quota-class-sets/{class_id}", limits.QuotaClass),
    ("/limits", limits.Limits),
    ("/os-availability-zone", availability_zones.AvailabilityZones),
    ("/os-availability-zone/detail", availability_zones.AvailabilityZones, "detail"),
]

ROUTES: list[Route] = [
    ("/", Root),
    *((f"/{api}{path}", *made) for api in _APIS for path, *made in _RESOURCES),
]


SERVICE = Service(
    name="compute",
    prefix="/compute",
    routes=ROUTES,
    envelope=nova_envelope,
    versions=VERSIONS,
    public=frozenset({"", "/", "/v2", "/v2.1"}),
    unversioned="/v2",
    request_id_headers=("X-Compute-Request-Id",),
)
