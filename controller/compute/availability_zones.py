"""/os-availability-zone: where servers may be asked to be."""

from typing import Any

import falcon
from sqlalchemy.orm import Session

from controller.compute import zones
from controller.db import agents
from controller.web.resource import Resource, answer


class AvailabilityZones(Resource):
    """/os-availability-zone"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists."""
        self.allow(req, "compute:availability-zones:list")
        with self.db.read() as session:
            found = _zones(session)
        answer(resp, {"availabilityZoneInfo": [{**zone, "hosts": None} for zone in found]})

    def on_get_detail(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists, with the hosts of each."""
        self.allow(req, "compute:availability-zones:detail")
        with self.db.read() as session:
            answer(resp, {"availabilityZoneInfo": _zones(session)})


def _zones(session: Session) -> list[dict[str, Any]]:
    """All zones; one in which no host takes servers is not available. The default one is always there."""
    elsewhere = zones.of_hosts(session)
    rows = agents.of_kind(session, "nova-compute")
    hosts: dict[str, dict[str, Any]] = {} if elsewhere else {zones.DEFAULT_ZONE: {}}
    enabled: set[str] = set()
    for row in rows:
        zone = elsewhere.get(row.host, zones.DEFAULT_ZONE)
        hosts.setdefault(zone, {})[row.host] = {
            "nova-compute": {
                "available": row.is_up,
                "active": not row.is_disabled,
                "updated_at": row.last_seen_at.isoformat() if row.last_seen_at else None,
            }
        }
        enabled |= set() if row.is_disabled else {zone}
    return [
        {"zoneName": zone, "zoneState": {"available": zone in enabled or not rows}, "hosts": hosts[zone]}
        for zone in sorted(hosts)
    ]
