"""Every disagreement between database, allocations, agents and hosts: found, explained, and how to mend it.

Looks only; ``main/doctor.py`` asks hosts and carries remedies out. A finding whose remedy is empty is for
a person to decide: nothing that a host merely has and nobody knows is ever removed.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from contract.calls import InspectAnswer
from contract.document import Key
from controller.compute.servers.model import Server
from controller.db.agents import Agent
from controller.db.columns import now
from controller.db.host_documents import HostDocument
from controller.operations.model import LIVE, Operation
from controller.placement.allocations import release
from controller.placement.model import Allocation

Place = tuple[str, str]
#: Something under way for longer than this is worth a line.
STUCK_AFTER_S = 900.0


@dataclass(frozen=True)
class Disagreement:
    """``what`` disagrees, ``why`` it matters, and what ``repair`` does about it (None: a person must).

    ``remove`` orders a host to remove something: done only when a person says so (``--remove-unknown``).
    """

    what: str
    why: str
    remedy: str = ""
    repair: Callable[[Session], None] | None = None
    adopt: Place | None = None
    remove: Callable[[Session], None] | None = None


def examine(session: Session, hosts: Mapping[Place, InspectAnswer | None]) -> list[Disagreement]:
    """All disagreements. ``hosts`` is what each agent said of its host; None where it did not answer."""
    return [
        *_agents(session, hosts),
        *_allocations(session),
        *_servers(session),
        *_documents(session),
        *_operations(session),
        *_lacking(hosts),
        *_unknown(session, hosts),
    ]


def _agents(session: Session, hosts: Mapping[Place, InspectAnswer | None]) -> Iterable[Disagreement]:
    for agent in session.scalars(select(Agent).order_by(Agent.host, Agent.agent)):
        place = (agent.agent, agent.host)
        answer = hosts.get(place)
        if answer is None:
            yield Disagreement(
                f"{agent.agent} on {agent.host} does not answer",
                "its host is not looked at, and changes wait for it",
                "start the agent, or look at its log",
            )
        elif answer.frozen:
            yield Disagreement(
                f"{agent.agent} on {agent.host} is frozen: {answer.frozen}",
                "it changes nothing until it is told to follow this database",
                "the agent adopts this database as it is now",
                adopt=place,
            )


def _allocations(session: Session) -> Iterable[Disagreement]:
    """Claims of servers that are gone. Consumers that never were servers belong to someone else."""
    for consumer in _consumers(session):
        server = session.get(Server, consumer)
        if server is not None and server.is_deleted:
            yield Disagreement(
                f"allocation of {consumer}",
                "its server is gone, the host's capacity is not",
                "the allocation is released",
                lambda s, c=consumer: release(s, c),  # type: ignore[misc]
            )


def _consumers(session: Session) -> set[str]:
    return set(session.scalars(select(Allocation.consumer_id).distinct()))


def _servers(session: Session) -> Iterable[Disagreement]:
    consumers = _consumers(session)
    for server in session.scalars(select(Server).where(~Server.is_deleted)):
        live = session.scalar(
            select(Operation.id)
            .where(Operation.subject == f"server:{server.id}", Operation.state.in_(LIVE))
            .limit(1)
        )
        if live is not None:
            continue
        if server.task is not None or server.state == "building":
            yield Disagreement(
                f"server {server.id} is in {server.state} ({server.task})",
                "nothing is under way that would end it",
                "it becomes ERROR",
                lambda s, i=server.id: _give_up(s, i),  # type: ignore[misc]
            )
        elif server.host is not None and server.state != "error" and server.id not in consumers:
            yield Disagreement(
                f"server {server.id} on {server.host} has no allocation",
                "the host may be given more than it has",
            )


def _give_up(session: Session, server_id: str) -> None:
    server = session.get(Server, server_id, with_for_update=True)
    if server is not None:
        server.state, server.task = "error", None
        server.fault = {
            "code": 500,
            "created": now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "message": "An operation was lost; the doctor gave it up.",
        }


def _documents(session: Session) -> Iterable[Disagreement]:
    rows = session.scalars(
        select(HostDocument).where(
            (HostDocument.state == "failed") | (HostDocument.reported_digest != HostDocument.digest)
        )
    )
    for row in rows:
        name = f"{row.kind} {row.resource_id} on {row.host}"
        if row.state in ("failed", "retrying"):
            yield Disagreement(
                f"{name}: {row.state}: {row.fault}", row.fault_details or "see the agent's log"
            )
        elif row.is_tombstone:
            yield Disagreement(f"{name} is to be removed", "its host has not confirmed that yet")
        else:
            yield Disagreement(f"{name} is not applied", "its host has not confirmed the newest document")


def _operations(session: Session) -> Iterable[Disagreement]:
    for operation in session.scalars(select(Operation).where(Operation.state.in_(LIVE))):
        age = (now() - operation.started_at).total_seconds()
        if age > STUCK_AFTER_S:
            yield Disagreement(
                f"{operation.kind} of {operation.subject} runs for {age:.0f} s",
                f"it is at step {operation.step} ({operation.direction})",
            )


def _lacking(hosts: Mapping[Place, InspectAnswer | None]) -> Iterable[Disagreement]:
    """What a host has otherwise than its agent was told: taken away or changed by hand, or not made yet."""
    for (agent, host), answer in hosts.items():
        for finding in answer.findings if answer is not None else ():
            if finding.lacks:
                yield Disagreement(
                    f"{finding.kind} {finding.id} on {host} ({finding.place}): {finding.lacks}",
                    f"{agent} mends it when it looks at it next; see its log if this stays",
                )


def _unknown(session: Session, hosts: Mapping[Place, InspectAnswer | None]) -> Iterable[Disagreement]:
    """What is on a host and in no document of it."""
    for place, answer in hosts.items():
        agent, host = place
        found: dict[Key, list[str]] = {}
        for finding in answer.findings if answer is not None else ():
            found.setdefault(Key(finding.kind, finding.id), []).append(finding.place)
        for key, seen_at in found.items():
            if session.get(HostDocument, (host, key.kind, key.id)) is None:
                yield Disagreement(
                    f"{key.kind} {key.id} on {host} ({', '.join(seen_at)})",
                    f"{agent} has it, the database knows nothing of it: it is left alone",
                    "'controller-manage doctor --remove-unknown' removes it, if nobody needs it",
                    remove=functools.partial(_remove, place, key) if key.id else None,
                )


def _remove(place: Place, key: Key, session: Session) -> None:
    """Tells a host to remove what no row accounts for; nothing if a document came meanwhile."""
    agent, host = place
    if session.get(HostDocument, (host, key.kind, key.id)) is not None:
        return
    mine = (Agent.host == host, Agent.agent == agent)
    session.execute(update(Agent).where(*mine).values(revision=Agent.revision + 1))
    session.add(
        HostDocument(
            host=host,
            kind=key.kind,
            resource_id=key.id,
            agent=agent,
            digest="tombstone",
            revision=session.scalar(select(Agent.revision).where(*mine)),
            is_tombstone=True,
        )
    )
