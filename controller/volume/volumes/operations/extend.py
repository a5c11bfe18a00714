"""volume.extend: the host grows the volume; if it cannot, the old size stays and the status says so."""

from sqlalchemy.orm import Session

from contract.document import Key
from controller.db.host_documents import standing
from controller.db.outbox import changed
from controller.operations.model import Operation
from controller.operations.step import Definition, Run, Step, StepFailed, Waiting
from controller.volume import documents
from controller.volume.volumes import lookup
from controller.volume.volumes.model import Volume

_GIB = 1 << 30


def _grow(run: Run) -> Waiting | None:
    """Waits until the host shows the new size."""
    with run.db.read() as session:
        volume = session.get(Volume, run.resource_id)
        if volume is None or volume.is_deleted:
            raise StepFailed("The volume was deleted.")
        host = str(volume.host)
        stands = standing(session, documents.DOCUMENTS["volume"], Key("volume", volume.id), host)
        is_grown = volume.observed_bytes >= volume.wanted_gib * _GIB
    if stands.state == "failed":
        raise StepFailed(
            f"The storage host could not extend the volume: {stands.fault}", stands.fault_details
        )
    return None if stands.state == "applied" and is_grown else Waiting(f"host {host}", fault=stands.fault)


def _done(session: Session, operation: Operation) -> None:
    volume = lookup.locked(session, operation.subject.partition(":")[2])
    if volume is not None and not volume.is_deleted:
        volume.size_gib = volume.wanted_gib
        volume.status = "available" if volume.status == "extending" else volume.status


def _failed(session: Session, operation: Operation) -> None:
    """The host keeps a volume that has grown in spite of all: it never shrinks one."""
    volume = lookup.locked(session, operation.subject.partition(":")[2])
    if volume is not None and not volume.is_deleted:
        volume.wanted_gib, volume.fault = volume.size_gib, operation.fault
        volume.status = "error_extending" if volume.status == "extending" else volume.status
        changed(session, "volume", volume.id)


DEFINITION = Definition(
    kind="volume.extend",
    action="extend",
    steps=(Step("grow", _grow, deadline_s=300, late="The storage host did not extend the volume in time."),),
    on_done=_done,
    on_failed=_failed,
)
