"""What the service says of itself: versions, availability zones, extensions, pools."""

from typing import Any

import falcon
from sqlalchemy.orm import Session

from controller.db import agents
from controller.volume.services import service_host
from controller.volume.versions import MICROVERSIONS, v
from controller.volume.volumes.model import ZONE
from controller.web import schema
from controller.web.fields import micro_time_text
from controller.web.resource import Resource, answer, base_url, params_of, version_of

_UPDATED = "2023-08-31T00:00:00Z"
#: Extensions, by alias: name, and what they are for. All of them are always there.
EXTENSIONS = {
    "os-volume-actions": ("VolumeActions", "Actions on volumes."),
    "os-admin-actions": ("AdminActions", "Actions on volumes for administrators."),
    "os-availability-zone": ("AvailabilityZones", "Availability zones."),
    "os-hosts": ("Hosts", "Storage hosts, for administrators."),
    "os-quota-sets": ("Quotas", "Quota of projects."),
    "os-quota-class-sets": ("QuotaClasses", "Quota of classes of projects."),
    "os-services": ("Services", "Agents of storage hosts, for administrators."),
    "os-types-manage": ("TypesManage", "Volume types are made and deleted."),
    "os-types-extra-specs": ("TypesExtraSpecs", "Extra specs of volume types."),
    "os-volume-type-access": ("VolumeTypeAccess", "Who may use a private volume type."),
    "os-vol-host-attr": ("VolumeHostAttribute", "The host of a volume, for administrators."),
    "os-vol-tenant-attr": ("VolumeTenantAttribute", "The project of a volume."),
    "os-vol-mig-status-attr": ("VolumeMigStatusAttribute", "Migration of a volume, for administrators."),
    "os-vol-image-meta": ("VolumeImageMetadata", "What is known of the image that a volume was made of."),
    "os-used-limits": ("UsedLimits", "Use beside limits."),
    "os-extended-services": ("ExtendedServices", "Why a service is disabled."),
    "scheduler-stats": ("Scheduler_stats", "Pools of storage."),
}


def _version(root: str) -> dict[str, Any]:
    return {
        "id": "v3.0",
        "status": "CURRENT",
        "version": str(MICROVERSIONS.maximum),
        "min_version": str(MICROVERSIONS.minimum),
        "updated": _UPDATED,
        "links": [
            {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"},
            {"rel": "self", "href": f"{root}/v3/"},
        ],
        "media-types": [
            {"base": "application/json", "type": "application/vnd.openstack.volume+json;version=3"}
        ],
    }


class Versions(Resource):
    """/, for everyone"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """All versions: 300, since the client is to choose."""
        answer(resp, {"versions": [_version(base_url(req))]}, 300)


class Version3(Resource):
    """/v3, for everyone"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """This version."""
        answer(resp, {"versions": [_version(base_url(req))]})


class Zones(Resource):
    """/os-availability-zone"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists the one that there is; it is available while a host may take volumes."""
        self.allow(req, "volume:zones:list")
        with self.db.read() as session:
            rows = agents.of_kind(session, "volume-agent")
        is_available = any(not a.is_disabled for a in rows)
        zone = {"zoneName": ZONE, "zoneState": {"available": is_available}}
        answer(resp, {"availabilityZoneInfo": [zone]})


class Extensions(Resource):
    """/extensions"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists."""
        self.allow(req, "volume:extensions:list")
        answer(resp, {"extensions": [_extension(alias) for alias in EXTENSIONS]})


class Extension(Resource):
    """/extensions/{alias}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, alias: str) -> None:
        """Shows."""
        self.allow(req, "volume:extensions:list")
        if alias not in EXTENSIONS:
            raise falcon.HTTPNotFound
        answer(resp, {"extension": _extension(alias)})


def _extension(alias: str) -> dict[str, Any]:
    name, description = EXTENSIONS[alias]
    return {
        "alias": alias,
        "name": name,
        "description": description,
        "updated": "2012-05-31T00:00:00+00:00",
        "links": [],
    }


class Pools(Resource):
    """/scheduler-stats/get_pools"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists pools, with ``detail`` what they can; ``name`` narrows (3.28)."""
        self.allow(req, "volume:pools:list")
        params = params_of(req)
        is_detailed = schema.as_bool(params.get("detail", ["false"])[0].lower())
        with self.db.read() as session:
            pools = [_pool(a) for a in _heard(session)]
        name = params.get("name", [""])[0]
        if name and version_of(req) >= v("3.28"):
            pools = [p for p in pools if p["name"] == name]
        shown = pools if is_detailed else [{"name": p["name"]} for p in pools]
        answer(resp, {"pools": shown})


def _heard(session: Session) -> list[agents.Agent]:
    return [a for a in agents.of_kind(session, "volume-agent") if a.is_up]


def _pool(agent: agents.Agent) -> dict[str, Any]:
    known = agent.capabilities
    backend = known.get("backend", "")
    return {
        "name": f"{service_host(agent)}#{backend}",
        "capabilities": {
            "volume_backend_name": backend,
            "pool_name": backend,
            "storage_protocol": known.get("storage_protocol", ""),
            "total_capacity_gb": known.get("total_gib", 0),
            "free_capacity_gb": known.get("free_gib", 0),
            "reserved_percentage": 0,
            "driver_version": known.get("version", ""),
            "vendor_name": "Cumulet",
            "QoS_support": False,
            "backend_state": "up",
            "timestamp": micro_time_text(agent.last_seen_at),
        },
    }
