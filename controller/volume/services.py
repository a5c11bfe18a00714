"""/os-services and /os-hosts: the agents of storage hosts, as cinder names them."""

from typing import Any

import falcon
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from controller.db import agents
from controller.volume.versions import v
from controller.volume.volumes.model import ZONE, Volume
from controller.web import schema
from controller.web.errors import BadRequest, not_found
from controller.web.fields import Field, Fields, View, micro_time_text
from controller.web.resource import Resource, answer, body_of, params_of

#: What the agent of a storage host is to clients.
BINARY = "cinder-volume"


def service_host(agent: agents.Agent) -> str:
    """host@backend"""
    return f"{agent.host}@{agent.capabilities.get('backend', '')}"


def _state(agent: agents.Agent, _view: View) -> str:
    return "up" if agent.is_up else "down"


def _changed_at(agent: agents.Agent, _view: View) -> str | None:
    return micro_time_text(agent.last_seen_at or agent.updated_at or agent.created_at)


FIELDS = Fields(
    "service",
    "services",
    [
        Field(name="binary", show=lambda _agent, _view: BINARY),
        Field(name="host", show=lambda agent, _view: service_host(agent)),
        Field(name="zone", show=lambda _agent, _view: ZONE),
        Field(name="status", show=lambda agent, _view: "disabled" if agent.is_disabled else "enabled"),
        Field(name="state", show=_state),
        Field(name="updated_at", show=_changed_at),
        Field(name="disabled_reason"),
        Field(name="replication_status", show=lambda _agent, _view: "disabled"),
        Field(name="active_backend_id", show=lambda _agent, _view: None),
        Field(name="frozen", show=lambda agent, _view: bool(agent.frozen)),
        # 3.7: clusters, which there are none of
        Field(name="cluster", show=lambda _agent, _view: None, since=v("3.7")),
        # 3.49
        Field(name="backend_state", show=_state, since=v("3.49")),
    ],
)
_TEXT = {"type": "string", "minLength": 1, "maxLength": 255}
_WHICH: dict[str, Any] = {
    "type": "object",
    "properties": {
        "binary": _TEXT,
        "service": _TEXT,
        "host": {"type": ["string", "null"], "maxLength": 255, "pattern": r"^[a-zA-Z0-9-._#@:/+\[\]]*$"},
        "cluster": {"type": ["string", "null"], "maxLength": 255},
        "disabled_reason": {**_TEXT, "pattern": r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$"},
    },
    "additionalProperties": False,
    "anyOf": [{"required": ["binary"]}, {"required": ["service"]}],
}
_WITH_REASON = schema.compile_schema(_WHICH)
_PLAIN = schema.compile_schema(
    {**_WHICH, "properties": {k: s for k, s in _WHICH["properties"].items() if k != "disabled_reason"}}
)


class Services(Resource):
    """/os-services"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists; ``host`` and ``binary`` narrow."""
        self.allow(req, "volume:services:list")
        params = params_of(req)
        with self.db.read() as session:
            rows = agents.of_kind(session, "volume-agent")
        host, binary = params.get("host", [""])[0], params.get("binary", [BINARY])[0]
        found = [a for a in rows if binary == BINARY and host in ("", a.host, service_host(a))]
        answer(resp, FIELDS.many(found, self.view(req)))


class ServiceAction(Resource):
    """/os-services/{action}: enable, disable, disable-log-reason"""

    def on_put(self, req: falcon.Request, resp: falcon.Response, action: str) -> None:
        """Lets a host take new volumes, or not."""
        self.allow(req, "volume:services:update")
        if action not in ("enable", "disable", "disable-log-reason"):
            raise not_found("Service action", action)
        given = (_WITH_REASON if action == "disable-log-reason" else _PLAIN)(body_of(req))
        is_disabled = action != "enable"
        self.db.write(lambda s: _set(s, given, is_disabled))
        body = {
            "host": given["host"],
            "service": given.get("service", ""),
            "binary": given.get("binary", ""),
            "status": "disabled" if is_disabled else "enabled",
            "disabled": is_disabled,
        }
        if action != "disable":
            body["disabled_reason"] = given.get("disabled_reason")
        answer(resp, body)


def _set(session: Session, given: dict[str, Any], is_disabled: bool) -> None:
    if not given.get("host"):
        raise BadRequest("Invalid input received: Host needs to be specified.")
    binary = given.get("binary") or given.get("service")
    for agent in agents.of_kind(session, "volume-agent"):
        if binary == BINARY and given["host"] in (agent.host, service_host(agent)):
            agent.is_disabled = is_disabled
            agent.disabled_reason = given.get("disabled_reason") if is_disabled else None
            return
    raise not_found("Service", f"{binary} on host {given['host']}")


class Hosts(Resource):
    """/os-hosts"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists."""
        self.allow(req, "volume:hosts:list")
        zone = params_of(req).get("zone", [""])[0]
        with self.db.read() as session:
            rows = [a for a in agents.of_kind(session, "volume-agent") if not a.is_disabled]
        answer(resp, {"hosts": [_host(a) for a in rows] if zone in ("", ZONE) else []})


class HostItem(Resource):
    """/os-hosts/{host}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, host: str) -> None:
        """Shows how much each project has on the host."""
        self.allow(req, "volume:hosts:show")
        with self.db.read() as session:
            names = {service_host(a): a.host for a in agents.of_kind(session, "volume-agent")}
            if host not in names and host not in names.values():
                raise not_found("Host", host)
            rows = _usage(session, names.get(host, host))
        total = ("(total)", sum(r[1] for r in rows), sum(r[2] for r in rows))
        answer(resp, {"host": [_resource(host, *row) for row in (total, *rows)]})


def _usage(session: Session, host: str) -> list[tuple[str, int, int]]:
    statement = (
        select(Volume.project_id, func.count(), func.sum(Volume.size_gib))
        .where(Volume.host == host, ~Volume.is_deleted)
        .group_by(Volume.project_id)
    )
    return [(project, int(count), int(gib)) for project, count, gib in session.execute(statement)]


def _resource(host: str, project: str, count: int, gib: int) -> dict[str, Any]:
    return {
        "resource": {
            "host": host,
            "project": project,
            "volume_count": str(count),
            "total_volume_gb": str(gib),
            "snapshot_count": "0",
            "total_snapshot_gb": "0",
        }
    }


def _host(agent: agents.Agent) -> dict[str, Any]:
    return {
        "host_name": service_host(agent),
        "service": BINARY,
        "zone": ZONE,
        "service-status": "available" if agent.is_up else "unavailable",
        "service-state": "disabled" if agent.is_disabled else "enabled",
        "last-update": micro_time_text(agent.last_seen_at or agent.created_at),
    }
