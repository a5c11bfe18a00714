"""attach and detach a volume: the export stands before the guest sees the disk, and goes only after the
disk was seen gone."""

from typing import Any

from sqlalchemy.orm import Session

from contract.document import Key
from controller.compute.servers import document
from controller.compute.servers.model import Server
from controller.compute.servers.operations import exports
from controller.compute.servers.operations.faults import current
from controller.db.host_documents import standing
from controller.db.outbox import changed
from controller.operations.model import Operation
from controller.operations.step import Definition, Run, Step, StepFailed, Waiting
from controller.volume.attachments import server as server_volumes


def _export(run: Run) -> Waiting | None:
    """Shows the volume to the server's host."""
    attachment_id = run.input["attachment_id"]

    def want(session: Session) -> tuple[str, str]:
        server = current(session, run)
        exports.show(session, attachment_id, str(server.host))
        return server_volumes.is_exported(session, attachment_id)

    state, fault = run.write(want)
    if state == "failed":
        raise StepFailed(f"The volume could not be exported: {fault}")
    return None if state == "applied" else Waiting("the export", fault=fault)


def _unexport(run: Run) -> Waiting | None:
    """Hides the volume."""
    return exports.withdraw(run, lambda _session, run: [run.input["attachment_id"]])


def _put_back(run: Run) -> Waiting | None:
    """The volume is to stay: exported, and in the guest. Nobody waits for it: nothing is to be undone next."""

    def want(session: Session) -> None:
        server = current(session, run)
        attachment_id = run.input["attachment_id"]
        exports.show(session, attachment_id, str(server.host))
        server_volumes.want_in_guest(session, attachment_id, True)
        changed(session, "server", server.id)

    run.write(want)
    return None


def _plug(run: Run) -> Waiting | None:
    """Wants the disk in the guest, and waits until the host shows it."""
    return _in_guest(run, True)


def _unplug(run: Run) -> Waiting | None:
    """Wants the disk out of the guest, and waits until it is seen gone."""
    return _in_guest(run, False)


def _in_guest(run: Run, is_wanted: bool) -> Waiting | None:
    """Wants the disk in the guest, or out of it, and waits until the host shows it so."""
    note: dict[str, Any] = {f"is_told_{is_wanted}": True}

    def want(session: Session) -> None:
        server = current(session, run)
        server_volumes.want_in_guest(session, run.input["attachment_id"], is_wanted)
        run.remember(session, **note)
        changed(session, "server", server.id)

    if not run.memory.get(f"is_told_{is_wanted}"):
        run.write(want)
    with run.db.read() as session:
        server = session.get(Server, run.resource_id)
        if server is None or server.host is None:
            return None
        stands = standing(session, document.DOCUMENTS["server"], Key("server", server.id), server.host)
    if stands.state == "failed" and is_wanted:
        raise StepFailed(f"The volume could not be attached: {stands.fault}", stands.fault_details)
    return None if stands.state == "applied" else Waiting(f"host {server.host}", fault=stands.fault)


def _attached(session: Session, operation: Operation) -> None:
    server_volumes.mark_attached(session, operation.input["attachment_id"])


def _not_attached(session: Session, operation: Operation) -> None:
    server_volumes.finish_detach(session, operation.input["attachment_id"])


def _detached(session: Session, operation: Operation) -> None:
    server_volumes.finish_detach(session, operation.input["attachment_id"])


def _still_attached(session: Session, operation: Operation) -> None:
    server_volumes.abort_detach(session, operation.input["attachment_id"])


ATTACH = Definition(
    kind="server.attach_volume",
    action="attach_volume",
    steps=(
        Step(
            "export",
            _export,
            _unexport,
            deadline_s=60,
            late="The volume was not exported in time.",
            undo_deadline_s=120,
        ),
        Step(
            "plug",
            _plug,
            _unplug,
            deadline_s=60,
            late="The host did not attach the volume in time.",
            undo_deadline_s=120,
        ),
    ),
    on_done=_attached,
    on_failed=_not_attached,
)
DETACH = Definition(
    kind="server.detach_volume",
    action="detach_volume",
    steps=(
        Step(
            "unplug",
            _unplug,
            _put_back,
            deadline_s=120,
            late="The guest did not release the volume in time: it stays attached. Unmount it and try again.",
        ),
        Step("unexport", _unexport, deadline_s=120, late="The export was not withdrawn in time."),
    ),
    on_done=_detached,
    on_failed=_still_attached,
)
