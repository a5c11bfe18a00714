"""/os-hypervisors: compute hosts with what they have and what of it is given away."""

import json
from typing import Any

import falcon
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from controller.compute.servers.model import Server
from controller.compute.services import agent_of
from controller.db import agents
from controller.placement import allocations
from controller.web.errors import BadRequest, NotFound
from controller.web.fields import Field, Fields, View
from controller.web.resource import Resource, answer, params_of, version_of
from controller.web.versions import Version

_V2_28, _V2_53, _V2_87, _V2_88 = Version(2, 28), Version(2, 53), Version(2, 87), Version(2, 88)


def _usage(name: str, what: str) -> Any:
    def show(row: Any, view: View) -> int:
        return int(getattr(view.of("usage", row.id, {}).get(name), what, 0))

    return show


def _free(name: str) -> Any:
    def show(row: Any, view: View) -> int:
        usage = view.of("usage", row.id, {}).get(name)
        return int(usage.total - usage.used) if usage else 0

    return show


def _cpu_info(row: Any, view: View) -> Any:
    text = row.capabilities.get("cpu_info", "") or "{}"
    return text if view.version < _V2_28 else json.loads(text)


def _uptime(row: Any, _view: View) -> str | None:
    seconds = row.capabilities.get("uptime_s")
    return (
        f"up {seconds // 86400} days, {seconds % 86400 // 3600}:{seconds % 3600 // 60:02d}"
        if seconds
        else None
    )


_OLD = Version(2, 87)
BASE = (
    Field(name="id", attr="number", until=Version(2, 52)),
    Field(name="id", since=_V2_53),
    Field(
        name="hypervisor_hostname",
        show=lambda row, _: row.capabilities.get("hypervisor_hostname") or row.host,
    ),
    Field(name="state", show=lambda row, _: "up" if row.is_up else "down"),
    Field(name="status", show=lambda row, _: "disabled" if row.is_disabled else "enabled"),
)
BRIEF = Fields("hypervisor", "hypervisors", BASE)
FIELDS = Fields(
    "hypervisor",
    "hypervisors",
    [
        *BASE,
        Field(name="hypervisor_type", show=lambda row, _: row.capabilities.get("hypervisor_type", "")),
        Field(name="hypervisor_version", show=lambda row, _: row.capabilities.get("hypervisor_version", 0)),
        Field(name="host_ip", show=lambda row, _: row.capabilities.get("host_ip", "")),
        Field(
            name="service",
            show=lambda row, view: {
                "host": row.host,
                "id": row.id if view.version >= _V2_53 else row.number,
                "disabled_reason": row.disabled_reason,
            },
        ),
        # until 2.87: figures that placement has now
        Field(name="vcpus", show=_usage("VCPU", "total"), until=_OLD),
        Field(name="vcpus_used", show=_usage("VCPU", "used"), until=_OLD),
        Field(name="memory_mb", show=_usage("MEMORY_MB", "total"), until=_OLD),
        Field(name="memory_mb_used", show=_usage("MEMORY_MB", "used"), until=_OLD),
        Field(name="free_ram_mb", show=_free("MEMORY_MB"), until=_OLD),
        Field(name="local_gb", show=_usage("DISK_GB", "total"), until=_OLD),
        Field(name="local_gb_used", show=_usage("DISK_GB", "used"), until=_OLD),
        Field(name="free_disk_gb", show=_free("DISK_GB"), until=_OLD),
        Field(name="disk_available_least", show=_free("DISK_GB"), until=_OLD),
        Field(name="current_workload", show=lambda _row, _view: 0, until=_OLD),
        Field(name="running_vms", show=lambda row, view: view.of("servers", row.host, 0), until=_OLD),
        Field(name="cpu_info", show=_cpu_info, until=_OLD),
        # 2.88: uptime is a part of the view
        Field(name="uptime", show=_uptime, since=_V2_88),
    ],
)


def related(session: Session) -> dict[str, dict[str, Any]]:
    """Usage by host's id, and the number of servers by host."""
    counted = session.execute(
        select(Server.host, func.count())
        .where(~Server.is_deleted, Server.host.is_not(None))
        .group_by(Server.host)
    )
    return {"usage": dict(allocations.host_usage(session)), "servers": {host: n for host, n in counted}}


class Hypervisors(Resource):
    """The list, brief and complete."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists, brief."""
        self._list(req, resp, BRIEF)

    def on_get_detail(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists, complete."""
        self._list(req, resp, FIELDS)

    def _list(self, req: falcon.Request, resp: falcon.Response, table: Fields) -> None:
        self.allow(req, "compute:hypervisors:list")
        pattern = params_of(req).get("hypervisor_hostname_pattern", [""])[0]
        if pattern and version_of(req) < _V2_53:
            raise BadRequest("hypervisor_hostname_pattern exists since microversion 2.53.")
        with self.db.read() as session:
            rows = [a for a in agents.of_kind(session, "nova-compute") if pattern in a.host]
            view = self.view(req, related(session))
        if pattern and not rows:
            raise NotFound(f"No hypervisor matching '{pattern}' could be found.")
        answer(resp, table.many(rows, view))


class Hypervisor(Resource):
    """One host."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, hypervisor_id: str) -> None:
        """Shows."""
        self.allow(req, "compute:hypervisors:show")
        with self.db.read() as session:
            row = _find(session, hypervisor_id)
            view = self.view(req, related(session))
        answer(resp, FIELDS.one(row, view))


class Uptime(Resource):
    """How long a host has been up (until 2.87)."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, hypervisor_id: str) -> None:
        """Shows."""
        self.allow(req, "compute:hypervisors:show")
        if version_of(req) > _V2_87:
            raise NotFound("uptime is a part of the hypervisor since microversion 2.88.")
        with self.db.read() as session:
            row = _find(session, hypervisor_id)
        view = self.view(req)
        shown = BRIEF.one(row, view)
        shown["hypervisor"]["uptime"] = _uptime(row, view)
        answer(resp, shown)


class Statistics(Resource):
    """Sums over all hosts (until 2.87)."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Shows."""
        self.allow(req, "compute:hypervisors:list")
        if version_of(req) > _V2_87:
            raise NotFound("statistics ended with microversion 2.87: ask placement for usages.")
        with self.db.read() as session:
            rows = agents.of_kind(session, "nova-compute")
            view = self.view(req, related(session))
        names = (
            "vcpus",
            "vcpus_used",
            "memory_mb",
            "memory_mb_used",
            "free_ram_mb",
            "local_gb",
            "local_gb_used",
            "free_disk_gb",
            "disk_available_least",
            "current_workload",
            "running_vms",
        )
        shown = [FIELDS.view(row, self.view_at(view), names) for row in rows]
        sums = {name: sum(s[name] for s in shown) for name in names}
        answer(resp, {"hypervisor_statistics": {"count": len(rows), **sums}})

    @staticmethod
    def view_at(view: View) -> View:
        """The oldest view, which has all the figures."""
        return View(
            caller=view.caller,
            policy=view.policy,
            base_url=view.base_url,
            version=Version(2, 1),
            related=view.related,
        )


def _find(session: Session, name: str) -> agents.Agent:
    try:
        return agent_of(session, name)
    except NotFound:
        raise NotFound(f"Hypervisor with ID '{name}' could not be found.") from None
