"""Finding servers, and loading what a view needs beside the row: a constant number of queries."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from controller.compute.servers import states
from controller.compute.servers.fields import FIELDS
from controller.compute.servers.model import Server
from controller.db import agents
from controller.network.ports import server as server_ports
from controller.volume.attachments import server as server_volumes
from controller.web import paging, schema
from controller.web.caller import Caller
from controller.web.errors import BadRequest, NotFound
from controller.web.versions import Version

#: Of many servers not what only their hosts are told, half of the bytes of a row.
_COLUMNS = [c for c in Server.__table__.columns if c.name not in ("random_seed", "boot_image")]


def find(session: Session, caller: Caller, server_id: str, lock: bool = False) -> Server:
    """A server of the caller's project (an administrator: of any). Raises NotFound."""
    statement = select(Server).where(Server.id == server_id, ~Server.is_deleted)
    if not caller.is_admin:
        statement = statement.where(Server.project_id == caller.own_project)
    server = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if server is None:
        raise NotFound(f"Instance {server_id} could not be found.")
    return server


def related(session: Session, rows: Sequence[Any]) -> dict[str, Mapping[str, Any]]:
    """What views of these servers need, see fields.py."""
    ids = [row.id for row in rows]
    if not ids:
        return {}
    status = {a.host: _host_status(a) for a in agents.of_kind(session, "nova-compute")}
    return {
        "addresses": server_ports.addresses_of(session, ids),
        "groups": server_ports.security_group_names(session, ids),
        "attachments": server_volumes.of_servers(session, ids),
        "host_status": status,
    }


def listed(
    session: Session, caller: Caller, params: Mapping[str, list[str]], version: Version
) -> tuple[list[Any], bool]:
    """One page of servers as Core rows, and whether more follow."""
    page = paging.asked(params, [("created_at", False)], max_limit=1000)
    statement = _narrowed(caller, params, version)
    statement = paging.apply_page(session, statement, Server, FIELDS, page)
    return paging.cut(session.execute(statement).all(), page)


def _narrowed(caller: Caller, params: Mapping[str, list[str]], version: Version) -> Select[Any]:
    statement = select(*_COLUMNS)
    statement = statement.where(Server.is_deleted == _wants_deleted(caller, params))
    if not (caller.is_admin and _is_all(params)):
        statement = statement.where(Server.project_id == caller.own_project)
    usable = (
        params
        if caller.is_admin
        else {k: val for k, val in params.items() if k not in ("host", "tenant_id", "project_id", "user_id")}
    )
    statement = paging.apply_filters(statement, Server, FIELDS, usable, version)
    for name, apply in _FILTERS.items():
        if params.get(name, [""])[0]:
            statement = apply(statement, params[name])
    return statement


def _is_all(params: Mapping[str, list[str]]) -> bool:
    text = params.get("all_tenants", params.get("all_projects", ["false"]))[0]
    if text == "":
        return True
    if text.lower() not in ("1", "0", "true", "false", "t", "f", "yes", "no", "on", "off"):
        raise BadRequest(f"all_tenants must be a boolean, not {text!r}.")
    return schema.as_bool(text)


def _wants_deleted(caller: Caller, params: Mapping[str, list[str]]) -> bool:
    return caller.is_admin and schema.as_bool(params.get("deleted", ["false"])[0])


def _by_name(statement: Select[Any], texts: list[str]) -> Select[Any]:
    """``name=`` is a regular expression; most are plain words, which LIKE finds faster."""
    text = texts[0]
    if text.isalnum() or all(c.isalnum() or c in "-_ " for c in text):
        return statement.where(Server.name.like(f"%{text.replace('_', chr(92) + '_')}%", escape="\\"))
    return statement.where(Server.name.regexp_match(text))


def _by_status(statement: Select[Any], texts: list[str]) -> Select[Any]:
    wanted = {s for text in texts for s in states.status_filter(text)}
    return statement.where(Server.state.in_(wanted))


def _by_vm_state(statement: Select[Any], texts: list[str]) -> Select[Any]:
    wanted = {state for state, s in states.SHOWN.items() if s.vm_state in texts}
    return statement.where(Server.state.in_(wanted))


def _moment(text: str) -> datetime.datetime:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"{text!r} is no time: write it as 2026-01-31T12:00:00Z.") from None
    return moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _last(texts: list[str]) -> list[str]:
    """Ids, also where a client sent the whole URL."""
    return [text.rsplit("/", 1)[-1] for text in texts]


def _host_status(agent: agents.Agent) -> str:
    if agent.is_disabled:
        return "MAINTENANCE"
    return "UP" if agent.is_up else "DOWN"


_FILTERS: dict[str, Callable[[Select[Any], list[str]], Select[Any]]] = {
    "name": _by_name,
    "status": _by_status,
    "vm_state": _by_vm_state,
    "image": lambda statement, texts: statement.where(Server.image_id.in_(_last(texts))),
    "flavor": lambda statement, texts: statement.where(Server.flavor_id.in_(_last(texts))),
    "uuid": lambda statement, texts: statement.where(Server.id.in_(texts)),
    "changes-since": lambda statement, texts: statement.where(Server.updated_at >= _moment(texts[0])),
    "changes-before": lambda statement, texts: statement.where(Server.updated_at <= _moment(texts[0])),
}
