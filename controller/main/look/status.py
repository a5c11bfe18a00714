"""``controller-manage status``: hosts, resources and what is under way, on one screen."""

from collections.abc import Mapping
from typing import Any

import click
from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from controller.compute.servers.model import Server
from controller.db.agents import Agent
from controller.db.columns import now
from controller.image.images.model import Image
from controller.main.look import screen
from controller.main.process import configured
from controller.network.floating_ips.model import FloatingIp
from controller.network.ports.model import Port
from controller.network.routers.model import Router
from controller.operations.model import LIVE, Operation
from controller.volume.volumes.model import Volume


@click.command()
@screen.as_json
def status(is_json: bool) -> None:
    """Show agents, resources by state, and operations in progress with their age."""
    with configured().db.read() as session:
        found = {
            "agents": agents(session),
            "resources": resources(session),
            "operations": operations(session),
        }
    if is_json:
        screen.show_json(found)
        return
    screen.heading("agents")
    screen.table(found["agents"], "none was ever heard: start nova-compute, ovs-agent and volume-agent")
    screen.heading("resources")
    screen.table(found["resources"], "none")
    screen.heading("operations in progress")
    screen.table(found["operations"], "none")


def agents(session: Session) -> list[screen.Row]:
    """Every agent, by host."""
    rows = session.scalars(select(Agent).order_by(Agent.host, Agent.agent))
    return [
        {
            "host": agent.host,
            "agent": agent.agent,
            "state": "frozen" if agent.frozen else "up" if agent.is_up else "down",
            "heard": _age(agent.last_seen_at) if agent.last_seen_at else None,
            "why": agent.frozen or agent.disabled_reason or "",
        }
        for agent in rows
    ]


def resources(session: Session) -> list[screen.Row]:
    """How many there are of each kind and state."""
    rows: list[screen.Row] = []
    for kind, (state, condition) in _COUNTED.items():
        counted = session.execute(
            select(state, func.count()).where(condition).group_by(state).order_by(state)
        )
        rows.extend({"kind": kind, "count": count, "state": str(found).lower()} for found, count in counted)
    return rows


def operations(session: Session) -> list[screen.Row]:
    """Those under way, the oldest first."""
    live = select(Operation).where(Operation.state.in_(LIVE)).order_by(Operation.started_at)
    return [
        {
            "operation": operation.kind,
            "of": operation.subject,
            "state": "undoing" if operation.direction == "undo" else operation.state,
            "age": _age(operation.started_at),
            "request": operation.request_id,
            "why": operation.fault or "",
        }
        for operation in session.scalars(live)
    ]


def _age(since: Any) -> float:
    return float((now() - since).total_seconds())


_COUNTED: Mapping[str, tuple[InstrumentedAttribute[Any], ColumnElement[bool]]] = {
    "servers": (Server.state, ~Server.is_deleted),
    "volumes": (Volume.status, ~Volume.is_deleted),
    "ports": (Port.status, true()),
    "routers": (Router.status, true()),
    "floating IPs": (FloatingIp.status, true()),
    "images": (Image.status, Image.status.not_in(("deleted", "pending_delete"))),
}
