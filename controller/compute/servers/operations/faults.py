"""How an operation that failed is seen on its server, and the look at the row that all steps begin with."""

from sqlalchemy.orm import Session

from controller.compute.servers.model import Server
from controller.db.columns import now
from controller.operations.model import Operation
from controller.operations.step import Run, StepFailed
from controller.web.fields import time_text


def current(session: Session, run: Run) -> Server:
    """The operation's server, locked. Raises StepFailed when it is gone."""
    server = session.get(Server, run.resource_id, with_for_update=True, populate_existing=True)
    if server is None or server.is_deleted:
        raise StepFailed("The server is gone.")
    return server


def become_error(session: Session, operation: Operation) -> None:
    """The server ends in ERROR, with the reason."""
    server = session.get(Server, operation.subject.partition(":")[2], with_for_update=True)
    if server is None or server.is_deleted:
        return
    server.state, server.task = "error", None
    note_fault(server, operation)


def back_as_it_was(session: Session, operation: Operation) -> None:
    """The server goes on as before; the history of its actions has the reason."""
    server = session.get(Server, operation.subject.partition(":")[2], with_for_update=True)
    if server is not None and not server.is_deleted:
        server.task = None


def note_fault(server: Server, operation: Operation) -> None:
    """Writes the fault that ``GET /servers/{id}`` shows while the server is in ERROR."""
    server.fault = {
        "code": 500,
        "created": time_text(now()),
        "message": operation.fault or "The operation failed.",
        "details": operation.fault_details or "",
    }
