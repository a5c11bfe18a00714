"""``controller-manage why``: a server's faults, what each host said of it, and its operations step by step."""

import sys
from typing import Any

import click
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from controller.compute.servers.model import Server
from controller.db.host_documents import HostDocument
from controller.main.look import screen
from controller.main.process import configured
from controller.network.ports.model import Port
from controller.operations.model import Operation, OperationEvent

#: Operations that are told, the newest first.
_NEWEST = 5


@click.command()
@click.argument("server")
@screen.as_json
def why(server: str, is_json: bool) -> None:
    """Tell why SERVER (id or name) is as it is: its fault, what hosts say, its last operations."""
    with configured().db.read() as session:
        row = _found(session, server)
        told = {
            "server": _server(row),
            "hosts": _hosts(session, row),
            "operations": [_operation(session, operation) for operation in _operations(session, row)],
        }
    if is_json:
        screen.show_json(told)
        return
    _show(told)


def _found(session: Session, name: str) -> Server:
    """Deleted servers are found by id only. Ends the program when there is none, or more than one."""
    condition: ColumnElement[bool] = or_(Server.id == name, (Server.name == name) & ~Server.is_deleted)
    rows = list(session.scalars(select(Server).where(condition)))
    if len(rows) == 1:
        return rows[0]
    if rows:
        sys.exit(
            f"error: {len(rows)} servers have the name {name!r}: give an id: {', '.join(r.id for r in rows)}"
        )
    sys.exit(f"error: there is no server {name!r}")


def _server(row: Server) -> screen.Row:
    fault = row.fault or {}
    return {
        "id": row.id,
        "name": row.name,
        "state": "deleted" if row.is_deleted else row.state,
        "task": row.task,
        "host": row.host,
        "fault": fault.get("message", ""),
        "details": fault.get("details", ""),
    }


def _hosts(session: Session, row: Server) -> list[screen.Row]:
    """Documents of the server and its ports on every host, and how far the host is with each."""
    ports = select(Port.id).where(Port.device_id == row.id)
    mine = or_(
        (HostDocument.kind == "server") & (HostDocument.resource_id == row.id),
        (HostDocument.kind == "port") & HostDocument.resource_id.in_(ports),
    )
    return [
        {
            "host": document.host,
            "what": f"{document.kind} {document.resource_id}",
            "state": _state(document),
            "why": " ".join(filter(None, (document.fault, document.fault_details))),
        }
        for document in session.scalars(select(HostDocument).where(mine).order_by(HostDocument.kind.desc()))
    ]


def _state(document: HostDocument) -> str:
    if document.is_tombstone:
        return "to be removed"
    return document.state if document.reported_digest == document.digest else "not told yet"


def _operations(session: Session, row: Server) -> list[Operation]:
    found = select(Operation).where(Operation.subject == f"server:{row.id}")
    return list(session.scalars(found.order_by(Operation.started_at.desc()).limit(_NEWEST)))


def _operation(session: Session, operation: Operation) -> dict[str, Any]:
    events = select(OperationEvent).where(OperationEvent.operation_id == operation.id)
    return {
        "operation": operation.kind,
        "state": operation.state,
        "request": operation.request_id,
        "began": operation.started_at,
        "fault": operation.fault or "",
        "details": operation.fault_details or "",
        "refused_by": operation.memory.get("rejected_hosts", []),
        "steps": [
            {"step": event.name, "result": event.result or "under way", "why": event.fault or ""}
            for event in session.scalars(events.order_by(OperationEvent.started_at))
        ],
    }


def _show(told: dict[str, Any]) -> None:
    server = told["server"]
    where = f" on {server['host']}" if server["host"] else ", on no host"
    screen.heading(f"{server['name']} ({server['id']}): {server['task'] or server['state']}{where}")
    for text in filter(None, (server["fault"], server["details"])):
        click.echo(f"  {text}")
    screen.heading("what hosts say")
    screen.table(told["hosts"], "no host has anything of it")
    for operation in told["operations"]:
        screen.heading(
            f"{operation['operation']}, {operation['began']:%Y-%m-%d %H:%M:%S} UTC, {operation['state']}"
        )
        click.echo(f"  request {operation['request']}")
        for text in filter(None, (operation["fault"], operation["details"])):
            click.echo(f"  {text}")
        if operation["refused_by"]:
            click.echo(f"  refused by: {', '.join(operation['refused_by'])}")
        screen.table(operation["steps"], "no step was begun")
