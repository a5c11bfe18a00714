"""attach and detach an interface: the port is bound before the NIC is plugged, and let go only after the
NIC was seen gone."""

from sqlalchemy.orm import Session

from contract.document import Key
from controller.compute.servers import document
from controller.compute.servers.model import Server
from controller.compute.servers.operations.faults import current
from controller.db.host_documents import standing
from controller.db.outbox import changed
from controller.network.ports import server as server_ports
from controller.operations.model import Operation
from controller.operations.step import Definition, Run, Step, StepFailed, Waiting


def _wait(run: Run) -> Waiting | None:
    """Waits for the host to show the NICs as the document says."""
    with run.db.read() as session:
        server = session.get(Server, run.resource_id)
        if server is None or server.host is None:
            return None
        stands = standing(session, document.DOCUMENTS["server"], Key("server", server.id), server.host)
    if stands.state == "failed":
        raise StepFailed(f"The interface could not be changed: {stands.fault}", stands.fault_details)
    return None if stands.state == "applied" else Waiting(f"host {server.host}")


def _take_out(run: Run) -> Waiting | None:
    """Wants the NIC out of the guest, and waits until it is seen gone."""

    def write(session: Session) -> None:
        server = current(session, run)
        port_id = run.input["port_id"]
        if port_id not in server.unplugging:
            server.unplugging = [*server.unplugging, port_id]
            changed(session, "server", server.id)
        run.remember(session, is_told=True)

    if not run.memory.get("is_told"):
        run.write(write)
    return _wait(run)


def _put_back(run: Run) -> Waiting | None:
    """The guest keeps the NIC."""

    def write(session: Session) -> None:
        server = current(session, run)
        server.unplugging = [p for p in server.unplugging if p != run.input["port_id"]]
        changed(session, "server", server.id)

    run.write(write)
    return None


def _let_go(session: Session, operation: Operation) -> None:
    """The port is free again, or gone if the server had made it."""
    port_id = operation.input["port_id"]
    server = session.get(Server, operation.subject.partition(":")[2], with_for_update=True)
    server_ports.release_port(session, port_id)
    if server is not None:
        server.unplugging = [p for p in server.unplugging if p != port_id]
        changed(session, "server", server.id)


def _nothing(_session: Session, _operation: Operation) -> None:
    """The rows are as they were."""


ATTACH = Definition(
    kind="server.attach_interface",
    action="attach_interface",
    steps=(
        Step("plug", _wait, _take_out, deadline_s=60, late="The host did not attach the interface in time."),
    ),
    on_failed=_let_go,
)
DETACH = Definition(
    kind="server.detach_interface",
    action="detach_interface",
    steps=(
        Step(
            "unplug",
            _take_out,
            _put_back,
            deadline_s=120,
            late="The guest did not release the interface in time: it stays attached.",
        ),
    ),
    on_done=_let_go,
    on_failed=_nothing,
)
