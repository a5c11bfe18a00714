"""delete: the domain goes, then volumes, ports and the claim on the host; at last the row counts as gone."""

from sqlalchemy.orm import Session

from controller.compute.servers.model import Server
from controller.compute.servers.operations.faults import become_error
from controller.compute.servers.operations.leave import leave_host
from controller.db.columns import now
from controller.db.outbox import changed
from controller.network.ports import server as server_ports
from controller.operations.step import Definition, Run, Step, Waiting
from controller.placement import allocations
from controller.volume.attachments import server as server_volumes


def _release(run: Run) -> Waiting | None:
    """Everything that the server held, in one transaction with its end."""
    run.write(lambda session: _let_go(session, run.resource_id))
    return None


def _let_go(session: Session, server_id: str) -> None:
    for attachment_id in server_volumes.release_all(session, server_id):
        server_volumes.finish_detach(session, attachment_id)
    server_ports.release(session, server_id)
    allocations.release(session, server_id)
    server = session.get(Server, server_id, with_for_update=True, populate_existing=True)
    if server is not None and not server.is_deleted:
        server.state, server.task, server.is_deleted = "deleted", None, True
        server.terminated_at = now()
        server.power_observed = "absent"
        changed(session, "server", server_id)


DEFINITION = Definition(
    kind="server.delete",
    action="delete",
    steps=(
        Step(
            "leave",
            leave_host,
            deadline_s=300,
            late="The host did not remove the server in time: delete again.",
        ),
        Step("release", _release),
    ),
    on_failed=become_error,  # from which it can be deleted again
)
