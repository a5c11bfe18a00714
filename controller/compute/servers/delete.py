"""``DELETE /servers/{id}``: whatever is under way is put aside, and the server leaves its host."""

from sqlalchemy.orm import Session

from controller.compute.servers import lookup, states
from controller.compute.servers.operations import delete as operation
from controller.db.outbox import changed
from controller.operations.begin import begin, live_kinds, supersede
from controller.web.caller import Caller
from controller.web.errors import Conflict


def delete(session: Session, caller: Caller, server_id: str) -> None:
    """Marks the server for deletion and begins the operation. A second call changes nothing.

    Raises NotFound, and Conflict for a locked server.
    """
    subject = f"server:{server_id}"
    server = lookup.find(session, caller, server_id, lock=True)
    if server.is_locked and not caller.is_admin:
        raise Conflict(f"Instance {server_id} is locked: unlock it first.")
    if operation.DEFINITION.kind in live_kinds(session, subject):
        return
    states.require(server_id, "delete", server.state, server.task)
    supersede(session, subject, "The server was deleted.")
    server.task = "deleting"
    begin(session, operation.DEFINITION, subject, (server.project_id, caller.user_id))
    changed(session, "server", server_id)
