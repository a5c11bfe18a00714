"""/os-services: compute's processes, as administrators see and disable them."""

from typing import Any

import falcon
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from controller.compute import zones
from controller.db.agents import Agent
from controller.web import schema
from controller.web.errors import BadRequest, NotFound
from controller.web.fields import Field, Fields, micro_time_text
from controller.web.resource import Resource, answer, body_of, params_of, version_of
from controller.web.versions import Version

_V2_53 = Version(2, 53)

FIELDS = Fields(
    "service",
    "services",
    [
        # until 2.52 a number; since 2.53 the UUID
        Field(name="id", attr="number", until=Version(2, 52)),
        Field(name="id", since=_V2_53),
        Field(name="binary", attr="agent"),
        Field(name="host"),
        Field(name="zone", show=lambda row, view: view.of("zones", row.host, zones.DEFAULT_ZONE)),
        Field(name="status", show=lambda row, _: "disabled" if row.is_disabled else "enabled"),
        Field(name="state", show=lambda row, _: "up" if row.is_up else "down"),
        Field(name="updated_at", show=lambda row, _: micro_time_text(row.last_seen_at)),
        Field(name="disabled_reason"),
        # 2.11: an administrator may declare a host down
        Field(name="forced_down", attr="is_forced_down", since=Version(2, 11)),
    ],
)
_CHANGE = schema.compile_schema(
    {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": {
            "status": {"enum": ["enabled", "disabled"]},
            "forced_down": schema.LOOSE_BOOLEAN,
            "disabled_reason": {"type": "string", "minLength": 1, "maxLength": 255},
        },
    }
)
_OLD_CHANGE = schema.compile_schema(
    {
        "type": "object",
        "required": ["host", "binary"],
        "additionalProperties": False,
        "properties": {
            "host": {"type": "string"},
            "binary": {"type": "string"},
            "forced_down": schema.LOOSE_BOOLEAN,
            "disabled_reason": {"type": "string", "minLength": 1, "maxLength": 255},
        },
    }
)


class Services(Resource):
    """The list."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists."""
        self.allow(req, "compute:services:list")
        params = params_of(req)
        statement = select(Agent).where(Agent.agent == "nova-compute").order_by(Agent.host)
        if params.get("host"):
            statement = statement.where(Agent.host == params["host"][0])
        if params.get("binary"):
            statement = statement.where(Agent.agent == params["binary"][0])
        with self.db.read() as session:
            rows = list(session.scalars(statement))
            view = self.view(req, {"zones": zones.of_hosts(session)})
        answer(resp, FIELDS.many(rows, view))


class Service(Resource):
    """One, by UUID (2.53); before that by what is to be done with it."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, service_id: str) -> None:
        """Enables, disables, declares down."""
        self.allow(req, "compute:services:update")
        if version_of(req) < _V2_53:
            self._old(req, resp, service_id)
            return
        given = _CHANGE(body_of(req))
        if given.get("disabled_reason") and given.get("status") != "disabled":
            raise BadRequest("Specifying disabled_reason when status is not disabled is not allowed.")
        row = self.db.write(lambda s: change(s, ("id", service_id), given))
        with self.db.read() as session:
            view = self.view(req, {"zones": zones.of_hosts(session)})
        answer(resp, FIELDS.one(row, view))

    def _old(self, req: falcon.Request, resp: falcon.Response, action: str) -> None:
        given = _OLD_CHANGE(body_of(req))
        status = {
            "enable": "enabled",
            "disable": "disabled",
            "disable-log-reason": "disabled",
            "force-down": None,
        }
        if action not in status:
            raise NotFound(f"There is no action {action} on services.")
        if action == "disable-log-reason" and "disabled_reason" not in given:
            raise BadRequest("Missing disabled_reason field.")
        wanted = {k: given[k] for k in ("disabled_reason", "forced_down") if k in given}
        if status[action]:
            wanted["status"] = status[action]
        row = self.db.write(lambda s: change(s, ("host", given["host"]), wanted))
        shown: dict[str, Any] = {
            "host": row.host,
            "binary": row.agent,
            **{k: v for k, v in wanted.items() if k != "forced_down"},
        }
        if "forced_down" in wanted:
            shown["forced_down"] = row.is_forced_down
        answer(resp, {"service": shown})


def change(session: Session, which: tuple[str, str], given: dict[str, Any]) -> Agent:
    """Changes the compute service named by (column, value). Raises NotFound."""
    row = session.scalars(
        select(Agent)
        .where(Agent.agent == "nova-compute", getattr(Agent, which[0]) == which[1])
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound(f"Compute service {which[1]} could not be found.")
    if "status" in given:
        row.is_disabled = given["status"] == "disabled"
        row.disabled_reason = given.get("disabled_reason") if row.is_disabled else None
    if "forced_down" in given:
        row.is_forced_down = schema.as_bool(given["forced_down"])
    return row


def agent_of(session: Session, name: str) -> Agent:
    """A compute host's agent by id, number or host name. Raises NotFound."""
    number = int(name) if name.isascii() and name.isdigit() and len(name) < 10 else -1
    wanted = or_(Agent.id == name, Agent.host == name, Agent.number == number)
    row = session.scalars(select(Agent).where(Agent.agent == "nova-compute", wanted)).first()
    if row is None:
        raise NotFound(f"Compute host {name} could not be found.")
    return row
