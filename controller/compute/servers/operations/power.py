"""start and stop: the wanted power changes, the host follows, the state follows the host."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from contract.document import Key
from controller.compute.servers import document
from controller.compute.servers.model import Server
from controller.compute.servers.operations.faults import back_as_it_was, current, note_fault
from controller.db.host_documents import standing
from controller.db.outbox import changed
from controller.operations.model import Operation
from controller.operations.step import Definition, Run, Step, StepFailed, Waiting


def _want(power: str) -> Callable[[Run], Waiting | None]:
    def want(run: Run) -> Waiting | None:
        """Writes the wanted power, once."""

        def write(session: Session) -> None:
            server = current(session, run)
            if server.power_wanted != power or not run.memory.get("is_wanted"):
                server.power_wanted = power
                server.power_generation += 1
                run.remember(session, is_wanted=True)
                changed(session, "server", server.id)

        if not run.memory.get("is_wanted"):
            run.write(write)
        return None

    return want


def _wait(run: Run) -> Waiting | None:
    """Waits for the host to be as the document says."""
    with run.db.read() as session:
        server = session.get(Server, run.resource_id)
        if server is None or server.host is None:
            raise StepFailed("The server has no host.")
        stands = standing(session, document.DOCUMENTS["server"], Key("server", server.id), server.host)
    if stands.state == "failed":
        raise StepFailed(stands.fault, stands.fault_details)
    return None if stands.state == "applied" else Waiting(f"host {server.host}", fault=stands.fault)


def _end(state: str) -> Callable[[Session, Operation], None]:
    def end(session: Session, operation: Operation) -> None:
        server = session.get(Server, operation.subject.partition(":")[2], with_for_update=True)
        if server is not None:
            server.state, server.task, server.fault = state, None, None

    return end


def _failed_start(session: Session, operation: Operation) -> None:
    """The guest does not run: back to stopped, so that it can be tried again, with the fault."""
    server = session.get(Server, operation.subject.partition(":")[2], with_for_update=True)
    if server is None:
        return
    server.state, server.task, server.power_wanted = "error", None, "off"
    server.power_generation += 1
    note_fault(server, operation)
    changed(session, "server", server.id)


START = Definition(
    kind="server.start",
    action="start",
    steps=(
        Step("want", _want("on")),
        Step("wait", _wait, deadline_s=120, late="The host did not start the server in time."),
    ),
    on_done=_end("active"),
    on_failed=_failed_start,
)
STOP = Definition(
    kind="server.stop",
    action="stop",
    steps=(
        Step("want", _want("off")),
        Step("wait", _wait, deadline_s=180, late="The host did not stop the server in time."),
    ),
    on_done=_end("stopped"),
    on_failed=back_as_it_was,
)
