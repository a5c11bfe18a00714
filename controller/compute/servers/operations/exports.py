"""A server's volumes shown to its host, and hidden from it again: shared by boot, attach, detach and delete."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.compute.servers.operations import dead_hosts
from controller.db.agents import Agent
from controller.operations.step import Run, Waiting
from controller.volume.attachments import server as server_volumes


def show(session: Session, attachment_id: str, host: str) -> None:
    """Wants the attachment's volume shown to the compute host; safe to repeat."""
    server_volumes.export(session, attachment_id, host, _initiator(session, host))


def withdraw(run: Run, which: Callable[[Session, Run], list[str]]) -> Waiting | None:
    """Hides the volumes of the attachments that ``which`` names, and waits until that is confirmed."""

    def hide(session: Session) -> bool:
        ids = which(session, run)
        for attachment_id in ids:
            server_volumes.unexport(session, attachment_id)
        return all(_is_withdrawn(session, run, i) for i in ids)

    return None if run.write(hide) else Waiting("volumes to be withdrawn", dead_hosts.LISTEN_AGAIN_S)


def _is_withdrawn(session: Session, run: Run, attachment_id: str) -> bool:
    host = server_volumes.storage_host(session, attachment_id)
    if server_volumes.is_unexported(session, attachment_id):
        return True
    return host is not None and dead_hosts.is_dead(session, run, host, "volume-agent")


def _initiator(session: Session, host: str) -> str:
    """The iSCSI name that a host's exports are restricted to; empty where CHAP alone decides."""
    capabilities = session.scalar(
        select(Agent.capabilities).where(Agent.host == host, Agent.agent == "nova-compute")
    )
    return str((capabilities or {}).get("initiator", ""))
