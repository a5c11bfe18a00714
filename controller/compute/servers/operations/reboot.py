"""reboot: an imperative that travels in the document under the operation's id, and is done once."""

from sqlalchemy.orm import Session

from controller.compute.servers.model import Server
from controller.compute.servers.operations.faults import become_error, current
from controller.db.outbox import changed
from controller.operations import results
from controller.operations.model import Operation
from controller.operations.step import Definition, Run, Step, StepFailed, Waiting


def _order(run: Run) -> Waiting | None:
    """The document names the imperative as long as the operation lives; tell the host."""
    if not run.memory.get("is_ordered"):
        run.write(lambda session: _tell(session, run))
    return None


def _tell(session: Session, run: Run) -> None:
    server = current(session, run)
    if server.power_wanted != "on":
        server.power_wanted = "on"
        server.power_generation += 1
    run.remember(session, is_ordered=True)
    changed(session, "server", server.id)


def _wait(run: Run) -> Waiting | None:
    """Waits for the host to say how it ended."""
    with run.db.read() as session:
        result = results.of(session, run.operation.id)
    if result is None:
        return Waiting("the host to reboot the guest")
    if result.fault:
        raise StepFailed(result.fault)
    return None


def _done(session: Session, operation: Operation) -> None:
    server = session.get(Server, operation.subject.partition(":")[2], with_for_update=True)
    if server is not None:
        server.state, server.task, server.fault = "active", None, None
        changed(session, "server", server.id)


def _definition(kind: str) -> Definition:
    return Definition(
        kind=kind,
        action="reboot",
        steps=(
            Step("order", _order),
            Step("wait", _wait, deadline_s=300, late="The host did not reboot the server in time."),
        ),
        on_done=_done,
        on_failed=become_error,
    )


SOFT = _definition("server.reboot_soft")
HARD = _definition("server.reboot_hard")
