"""Taking a server off its host: first the domain is gone for sure, then its volumes are hidden.

Shared by delete and by the undo of boot. A host that stays silent is not waited for: its tombstones stay
until it confirms, and exports are withdrawn, so that a guest coming back there reaches nothing of value.
"""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.document import Key
from controller.compute.servers.model import Server
from controller.db import agents
from controller.db.host_documents import is_gone
from controller.db.outbox import changed
from controller.operations.step import Run, Waiting
from controller.volume.attachments import server as server_volumes

#: A host that was not heard for so long while it was waited for is taken for dead. Longer than engines, broker
#: or database take to be back: after their absence every host is silent for a moment.
SILENCE_S = 45.0
#: Silence has no word that would end the waiting for it.
_LISTEN_AGAIN_S = 5.0


def leave_host(run: Run) -> Waiting | None:
    """Step by step: order the domain away, wait for it, withdraw the exports, wait for them."""
    if not run.memory.get("is_left"):
        run.write(lambda session: _order(session, run))
    with run.db.read() as session:
        server = session.get(Server, run.resource_id)
        host = server.leaving_host if server is not None else None
        is_domain_gone = (
            host is None
            or is_gone(session, Key("server", run.resource_id), host)
            or is_dead(session, run, host)
        )
    if not is_domain_gone:
        return Waiting(f"host {host} to remove the domain", _LISTEN_AGAIN_S)
    return withdraw_exports(run, _of_server)


def is_dead(session: Session, run: Run, host: str, agent: str = "nova-compute") -> bool:
    """Whether a host that the step waits for has been silent for too long."""
    return run.waited_s > SILENCE_S and not is_heard(session, host, agent)


def is_heard(session: Session, host: str, agent: str = "nova-compute") -> bool:
    """Whether the host's agent answers at the moment."""
    row = session.scalars(
        select(agents.Agent).where(agents.Agent.host == host, agents.Agent.agent == agent)
    ).one_or_none()
    return row is not None and row.is_up


def _order(session: Session, run: Run) -> None:
    server = session.get(Server, run.resource_id, with_for_update=True, populate_existing=True)
    if server is None:
        return
    server.leaving_host = server.host
    for attachment in server_volumes.for_server(session, server.id):
        server_volumes.want_in_guest(session, attachment.id, False)
    run.remember(session, is_left=True)
    changed(session, "server", server.id)


def _of_server(session: Session, run: Run) -> list[str]:
    return [a.id for a in server_volumes.for_server(session, run.resource_id)]


def withdraw_exports(run: Run, which: Callable[[Session, Run], list[str]]) -> Waiting | None:
    """Hides the volumes of the attachments that ``which`` names, and waits until that is confirmed."""

    def withdraw(session: Session) -> bool:
        ids = which(session, run)
        for attachment_id in ids:
            server_volumes.unexport(session, attachment_id)
        return all(_is_withdrawn(session, run, i) for i in ids)

    return None if run.write(withdraw) else Waiting("volumes to be withdrawn", _LISTEN_AGAIN_S)


def _is_withdrawn(session: Session, run: Run, attachment_id: str) -> bool:
    host = server_volumes.storage_host(session, attachment_id)
    if server_volumes.is_unexported(session, attachment_id):
        return True
    return host is not None and is_dead(session, run, host, "volume-agent")
