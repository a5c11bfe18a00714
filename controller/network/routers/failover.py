"""Routers whose host is gone, and those that never got one, are given to a host that lives.

The engine's upkeep asks for it every few seconds; doing it twice, or in two engines at once, disturbs
nothing.
"""

import datetime
import logging
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract import topics
from controller.db.agents import Agent
from controller.db.columns import now
from controller.db.session import Database
from controller.network import options
from controller.network.ports.model import Port
from controller.network.routers import attached, host
from controller.network.routers.model import Router

LOG = logging.getLogger(__name__)


def rehost(db: Database) -> None:
    """Gives every router that waits for it another host, each in a transaction of its own."""
    with db.read() as session:
        waiting = stranded(session)
    for router_id in waiting:
        db.write(lambda session, router_id=router_id: _rehost(session, router_id))  # type: ignore[misc]


def stranded(session: Session) -> Sequence[str]:
    """Routers with ports that no living host carries, while there is one that could."""
    living = select(Agent.host).where(
        Agent.agent == topics.OVS_AGENT,
        Agent.last_seen_at >= now() - datetime.timedelta(seconds=options.settings().router_failover_s),
        Agent.is_forced_down.is_(False),
    )
    has_ports = select(Port.id).where(Port.router_id == Router.id).exists()
    is_hope = living.where(Agent.is_disabled.is_(False)).exists()
    return session.scalars(
        select(Router.id).where(Router.host.not_in(living), has_ports, is_hope).order_by(Router.id)
    ).all()


def _rehost(session: Session, router_id: str) -> None:
    router = session.get(Router, router_id)
    if router is None:
        return
    attached.lock(session, router)
    if router_id not in stranded(session):
        return
    before = router.host
    host.settle(session, router, leaving=before)
    if router.host != before:
        LOG.warning(
            "router %s: host %s is gone, %s carries it now", router_id, before or "(none)", router.host
        )
