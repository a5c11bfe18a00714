"""Routers whose host is gone, and those that never got one, are given to a host that lives.

A chore of each engine; doing it twice, or in two engines at once, disturbs
nothing. An agent's silence counts only while it could have been heard: when the controller was away, or its broker or
database, all agents were silent, and come back one by one.
"""

import datetime
import logging
import time
from collections.abc import Callable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contract import topics
from controller.db.agents import DOWN_AFTER_S, Agent, is_fresh
from controller.db.columns import now
from controller.db.session import Database
from controller.network import options
from controller.network.ports.model import Port
from controller.network.routers import attached, host
from controller.network.routers.model import Router

LOG = logging.getLogger(__name__)


class Failover:
    """One engine's. ``clock`` is in seconds, from whenever."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._hearing = _Hearing(clock)

    def __call__(self, db: Database) -> None:
        """Gives every router that waits for it another host, each in a transaction of its own."""
        with db.read() as session:
            heard_s = self._hearing.look(session)
            waiting = stranded(session, heard_s)
        for router_id in waiting:
            db.write(lambda session, router_id=router_id: _rehost(session, router_id, heard_s))  # type: ignore[misc]


class _Hearing:
    """For how long this engine has heard agents without an interruption."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: float | None = None
        self._looked_at = clock()

    def look(self, session: Session) -> float:
        """The seconds until now; a look that comes late says that the engine itself, or its database, was away."""
        present = self._clock()
        is_late = present - self._looked_at >= DOWN_AFTER_S
        self._looked_at = present
        if not is_fresh(session.scalar(select(func.max(Agent.last_seen_at)))):
            self._since = None
        elif self._since is None or is_late:
            self._since = present
        return present - self._since if self._since is not None else 0.0


def stranded(session: Session, heard_s: float, router_id: str = "") -> Sequence[str]:
    """Routers with ports that no living host carries, while there is one that could; of one router if it is named.

    ``heard_s`` is for how long agents were heard without an interruption: while that is not long enough to miss one,
    its host keeps its routers.
    """
    limit_s = options.settings().router_failover_s
    there = select(Agent.host).where(Agent.agent == topics.OVS_AGENT, Agent.is_forced_down.is_(False))
    living = there.where(Agent.last_seen_at >= now() - datetime.timedelta(seconds=limit_s))
    has_ports = select(Port.id).where(Port.router_id == Router.id).exists()
    is_hope = living.where(Agent.is_disabled.is_(False)).exists()
    keep = living if heard_s >= limit_s else there
    statement = select(Router.id).where(Router.host.not_in(keep), has_ports, is_hope).order_by(Router.id)
    return session.scalars(statement.where(Router.id == router_id) if router_id else statement).all()


def _rehost(session: Session, router_id: str, heard_s: float) -> None:
    router = session.get(Router, router_id)
    if router is None:
        return
    attached.lock(session, router)
    if not stranded(session, heard_s, router_id):
        return
    before = router.host
    host.settle(session, router, leaving=before)
    if router.host != before:
        LOG.warning(
            "router %s: host %s is gone, %s carries it now", router_id, before or "(none)", router.host
        )
