"""Which host carries a router, and its ports bound there.

A host must know the physical networks that the router's ports are on; among those that do the one with the
fewest routers is taken. A router stays where it is while that host can carry it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contract import topics
from controller.db import outbox
from controller.db.agents import Agent
from controller.network.networks.model import Network
from controller.network.ports.model import Port
from controller.network.ports.place import place
from controller.network.routers.model import Router


@dataclass(frozen=True)
class Candidate:
    """A host that could carry a router. ``is_able``: it is on all physical networks that are needed."""

    host: str
    is_live: bool
    is_able: bool
    routers: int


def settle(session: Session, router: Router, leaving: str = "") -> None:
    """Sees that a router with ports has a host, if one lives, and that its ports are bound to it.

    ``leaving`` is the host that it goes away from, if another one can be found.
    """
    ports = session.execute(
        select(Port.id, Network.physical_network)
        .join(Network, Network.id == Port.network_id)
        .where(Port.router_id == router.id)
    ).all()
    if not ports:
        return
    needed = {port.physical_network for port in ports if port.physical_network}
    put(session, router, choose(_candidates(session, needed), router.host, leaving))


def put(session: Session, router: Router, host: str) -> None:
    """The router and its ports are on ``host`` now; empty for none."""
    if router.host != host:
        router.host = host
        session.flush()
        outbox.changed(session, "router", router.id)
    port_ids = session.scalars(select(Port.id).where(Port.router_id == router.id).order_by(Port.id))
    place(session, port_ids.all(), host)


def leave(session: Session, router: Router) -> None:
    """The router goes from its host to another one that lives; to none when there is none."""
    before = router.host
    settle(session, router, leaving=before)
    if router.host == before:
        put(session, router, "")


def choose(candidates: Sequence[Candidate], current: str, leaving: str = "") -> str:
    """The host for a router that is on ``current`` now; that one again when there is none better."""
    here = next((c for c in candidates if c.host == current), None)
    if here is not None and here.is_able and current != leaving:
        return current
    others = [c for c in candidates if c.is_live and c.host != leaving]
    best = min(others, key=lambda c: (not c.is_able, c.routers, c.host), default=None)
    if best is None or (current and current != leaving and not best.is_able):
        return current
    return best.host


def _candidates(session: Session, needed: set[str]) -> list[Candidate]:
    counts = select(Router.host, func.count().label("routers")).group_by(Router.host).subquery()
    rows = session.execute(
        select(Agent, func.coalesce(counts.c.routers, 0))
        .outerjoin(counts, counts.c.host == Agent.host)
        .where(Agent.agent == topics.OVS_AGENT)
    )
    return [
        Candidate(
            host=agent.host,
            is_live=agent.is_up and not agent.is_disabled,
            is_able=needed <= set(agent.capabilities.get("bridge_mappings", ())),
            routers=count,
        )
        for agent, count in rows
    ]
