"""/os-aggregates: groups of hosts, made by administrators; one with a zone puts its hosts there.

A host with servers stays in its zone, so that a server's zone is true for good.
"""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import falcon
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from controller.compute import zones
from controller.compute.servers.model import Server
from controller.compute.zones import Aggregate, AggregateHost
from controller.db import agents
from controller.web import schema
from controller.web.errors import ApiError, BadRequest, Conflict, NotFound
from controller.web.fields import Field, Fields, View, micro_time_text
from controller.web.resource import Resource, answer, body_of, version_of
from controller.web.versions import Version

_NAME: schema.Schema = {**schema.NAME, "pattern": r"^(?=\S)[^\x00-\x1f\x7f]*(?<=\S)$"}
_ZONE: schema.Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": r"^(?=.*\S)[^:\x00-\x1f]*$",
}

FIELDS = Fields(
    "aggregate",
    "aggregates",
    [
        Field(name="id"),
        # 2.41
        Field(name="uuid", since=Version(2, 41)),
        Field(name="name", schema=_NAME, create=True, update=True, required=True),
        Field(
            name="availability_zone",
            attr="zone",
            show=lambda row, _: row.meta.get(zones.ZONE),
            schema=schema.nullable(_ZONE),
            create=True,
            update=True,
            default=None,
        ),
        Field(name="hosts", show=lambda row, view: view.of("hosts", str(row.id), [])),
        Field(name="metadata", attr="meta"),
        Field(name="created_at", show=lambda row, _: micro_time_text(row.created_at)),
        Field(name="updated_at", show=lambda row, _: micro_time_text(row.updated_at)),
        Field(name="deleted", show=lambda _row, _view: False),
        Field(name="deleted_at", show=lambda _row, _view: None),
    ],
)
#: What the answer to create has not.
_CREATED = tuple(f.name for f in FIELDS.fields if f.name not in ("hosts", "metadata"))


def _one_key(name: str, inner: schema.Schema) -> schema.Check:
    properties = {name: inner}
    return schema.compile_schema(
        {"type": "object", "required": [name], "additionalProperties": False, "properties": properties}
    )


_HOST = _one_key("host", {"type": "string", "minLength": 1, "maxLength": 255})
_METADATA = _one_key(
    "metadata",
    {
        "type": "object",
        "additionalProperties": False,
        "patternProperties": {r"^[a-zA-Z0-9-_:. ]{1,255}$": {"type": ["string", "null"], "maxLength": 255}},
    },
)


# --- rows


def find(session: Session, text: str) -> Aggregate:
    """The aggregate, its row locked. Raises NotFound, BadRequest."""
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise BadRequest(f"Invalid input for aggregate id: {text!r} is not an integer.")
    found = session.get(Aggregate, int(text), with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(f"Aggregate {text} could not be found.")
    return found


def hosts_of(session: Session, rows: Sequence[Aggregate]) -> dict[str, list[str]]:
    """Hosts by aggregate. One query."""
    statement = (
        select(AggregateHost)
        .where(AggregateHost.aggregate_id.in_([row.id for row in rows]))
        .order_by(AggregateHost.host)
    )
    found: dict[str, list[str]] = {}
    for member in session.scalars(statement):
        found.setdefault(str(member.aggregate_id), []).append(member.host)
    return found


# --- verbs


def create(session: Session, values: dict[str, Any]) -> Aggregate:
    """A new aggregate. Raises Conflict for a name that is taken."""
    _check_name(session, values["name"])
    meta = {zones.ZONE: values["zone"]} if values["zone"] else {}
    row = Aggregate(name=values["name"], meta=meta)
    session.add(row)
    session.flush()
    return row


def update(session: Session, aggregate_id: str, values: dict[str, Any]) -> Aggregate:
    """Another name or zone. Raises NotFound, Conflict, BadRequest for the zone of hosts with servers."""
    row = find(session, aggregate_id)
    if "name" in values and values["name"] != row.name:
        _check_name(session, values["name"])
        row.name = values["name"]
    if "zone" in values:
        _set_metadata(session, row, {zones.ZONE: values["zone"]})
    session.flush()
    return row


def remove(session: Session, aggregate_id: str) -> None:
    """Deletes an aggregate without hosts. Raises NotFound, BadRequest."""
    row = find(session, aggregate_id)
    if hosts_of(session, [row]):
        raise BadRequest(f"Cannot delete aggregate {row.id}: it has hosts. Remove them first.")
    session.execute(delete(Aggregate).where(Aggregate.id == row.id))


def _add_host(session: Session, row: Aggregate, given: Any) -> None:
    host = _HOST(given)["host"]
    if host not in {agent.host for agent in agents.of_kind(session, "nova-compute")}:
        raise NotFound(f"Compute host {host} could not be found.")
    if session.get(AggregateHost, (row.id, host)) is not None:
        raise Conflict(f"Aggregate {row.id} already has host {host}.")
    present, zone = zones.of_hosts(session).get(host), row.meta.get(zones.ZONE)
    if zone and present and present != zone:
        raise Conflict(f"Cannot add host {host} to aggregate {row.id}: it is in availability zone {present}.")
    if zone and zone != (present or zones.DEFAULT_ZONE):
        _check_empty(session, [host], Conflict)
    session.add(AggregateHost(aggregate_id=row.id, host=host))
    session.flush()


def _remove_host(session: Session, row: Aggregate, given: Any) -> None:
    host = _HOST(given)["host"]
    member = session.get(AggregateHost, (row.id, host))
    if member is None:
        raise NotFound(f"Aggregate {row.id} has no host {host}.")
    before = zones.of_host(session, host)
    session.delete(member)
    session.flush()
    if zones.of_host(session, host) != before:
        _check_empty(session, [host], Conflict)


def _set_metadata(session: Session, row: Aggregate, given: dict[str, str | None]) -> None:
    before = zones.of_hosts(session)
    row.meta = {k: v for k, v in {**row.meta, **given}.items() if v is not None}
    session.flush()
    members = hosts_of(session, [row]).get(str(row.id), [])
    after = zones.of_hosts(session)
    _check_empty(session, [host for host in members if before.get(host) != after.get(host)], BadRequest)


def _check_name(session: Session, name: str) -> None:
    if session.scalar(select(Aggregate.id).where(Aggregate.name == name)) is not None:
        raise Conflict(f"Aggregate {name} already exists.")


def _check_empty(session: Session, hosts: Collection[str], error: type[ApiError]) -> None:
    statement = select(Server.host).where(Server.host.in_(hosts), ~Server.is_deleted).limit(1)
    busy = session.scalar(statement) if hosts else None
    if busy is not None:
        raise error(f"Host {busy} has servers: their availability zone cannot change.")


ACTIONS: dict[str, Callable[[Session, Aggregate, Any], None]] = {
    "add_host": _add_host,
    "remove_host": _remove_host,
    "set_metadata": lambda session, row, given: _set_metadata(session, row, _METADATA(given)["metadata"]),
}


# --- API


class Aggregates(Resource):
    """/os-aggregates"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists."""
        self.allow(req, "compute:aggregates:list")
        with self.db.read() as session:
            rows = list(session.scalars(select(Aggregate).order_by(Aggregate.id)))
            view = self.view(req, {"hosts": hosts_of(session, rows)})
        answer(resp, FIELDS.many(rows, view))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates."""
        caller = self.allow(req, "compute:aggregates:change")
        values = FIELDS.body("create", body_of(req), caller, self.cloud.policy, version_of(req))
        row = self.db.write(lambda s: create(s, values))
        answer(resp, {"aggregate": FIELDS.view(row, self.view(req), _CREATED)})


class AggregateItem(Resource):
    """/os-aggregates/{aggregate_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, aggregate_id: str) -> None:
        """Shows."""
        self.allow(req, "compute:aggregates:list")
        with self.db.read() as session:
            answer(resp, self._shown(session, req, find(session, aggregate_id)))

    def on_put(self, req: falcon.Request, resp: falcon.Response, aggregate_id: str) -> None:
        """Changes name and zone."""
        caller = self.allow(req, "compute:aggregates:change")
        values = FIELDS.body("update", body_of(req), caller, self.cloud.policy, version_of(req))
        if not values:
            raise BadRequest("Give a name or an availability_zone.")
        answer(resp, self.db.write(lambda s: self._shown(s, req, update(s, aggregate_id, values))))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, aggregate_id: str) -> None:
        """Deletes."""
        self.allow(req, "compute:aggregates:change")
        self.db.write(lambda s: remove(s, aggregate_id))
        resp.status = 200

    def _shown(self, session: Session, req: falcon.Request, row: Aggregate) -> dict[str, Any]:
        view: View = self.view(req, {"hosts": hosts_of(session, [row])})
        return FIELDS.one(row, view)


class AggregateAction(AggregateItem):
    """/os-aggregates/{aggregate_id}/action"""

    def on_post(self, req: falcon.Request, resp: falcon.Response, aggregate_id: str) -> None:
        """Adds or removes a host, or sets metadata."""
        self.allow(req, "compute:aggregates:change")
        body = body_of(req)
        name = next(iter(body)) if isinstance(body, dict) and len(body) == 1 else None
        if name not in ACTIONS:
            raise BadRequest(f"The body must have one key of {', '.join(sorted(ACTIONS))}.")

        def write(session: Session) -> dict[str, Any]:
            row = find(session, aggregate_id)
            ACTIONS[name](session, row, body[name])
            return self._shown(session, req, row)

        answer(resp, self.db.write(write))
