"""Taking a server off its host: first the domain is gone for sure, then its volumes are hidden.

Shared by delete and by the undo of boot. A host that stays silent is not waited for: its tombstones stay
until it confirms, and exports are withdrawn, so that a guest coming back there reaches nothing of value.
"""

from sqlalchemy.orm import Session

from contract.document import Key
from controller.compute.servers.model import Server
from controller.compute.servers.operations import dead_hosts, exports
from controller.db.host_documents import is_gone
from controller.db.outbox import changed
from controller.operations.step import Run, Waiting
from controller.volume.attachments import server as server_volumes


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
            or dead_hosts.is_dead(session, run, host)
        )
    if not is_domain_gone:
        return Waiting(f"host {host} to remove the domain", dead_hosts.LISTEN_AGAIN_S)
    return exports.withdraw(run, _of_server)


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
