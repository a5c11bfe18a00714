"""``controller-manage status``: services, hosts, resources and what is under way, on one screen."""

import click
from oslo_config import cfg
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from controller.compute.servers.model import Server
from controller.db.agents import Agent
from controller.db.columns import now
from controller.main.process import prepare
from controller.operations.model import LIVE, Operation
from runtime import log, settings


@click.command()
def status() -> None:
    """Show agents, servers by state, and operations in progress."""
    log.register(cfg.CONF)
    settings.load("controller-manage", [])
    process = prepare(cfg.CONF)
    with process.db.read() as session:
        _agents(session)
        _servers(session)
        _operations(session)


def _agents(session: Session) -> None:
    for agent in session.scalars(select(Agent).order_by(Agent.host, Agent.agent)):
        state = "frozen" if agent.frozen else "up" if agent.is_up else "down"
        click.echo(f"{agent.host:<24} {agent.agent:<14} {state:<7} revision {agent.revision}")


def _servers(session: Session) -> None:
    counted = session.execute(
        select(Server.state, func.count()).where(~Server.is_deleted).group_by(Server.state)
    )
    click.echo("servers: " + (", ".join(f"{n} {state}" for state, n in counted) or "none"))


def _operations(session: Session) -> None:
    live = list(
        session.scalars(select(Operation).where(Operation.state.in_(LIVE)).order_by(Operation.started_at))
    )
    for operation in live:
        age = (now() - operation.started_at).total_seconds()
        click.echo(
            f"{operation.kind} of {operation.subject}: step {operation.step}, {operation.state}, {age:.0f} s"
        )
    if not live:
        click.echo("no operation in progress")
