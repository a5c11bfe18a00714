"""volume.delete: wait until the storage host confirmed that nothing is left; then the row counts as gone.

The order itself, a tombstone, was given by the verb and is never taken back. A host that is away for long
leaves the volume in error_deleting; it is gone the moment the host confirms (observe.py).
"""

from sqlalchemy.orm import Session

from contract.document import Key
from controller.db.columns import now
from controller.db.host_documents import is_gone
from controller.operations.model import Operation
from controller.operations.step import Definition, Run, Step, Waiting
from controller.volume.volumes.model import Volume


def _remove(run: Run) -> Waiting | None:
    """Waits for the host."""
    with run.db.read() as session:
        volume = session.get(Volume, run.resource_id)
        if volume is None or volume.host is None or is_gone(session, Key("volume", volume.id), volume.host):
            return None
        return Waiting(f"host {volume.host} to remove the volume")


def _done(session: Session, operation: Operation) -> None:
    volume = session.get(Volume, operation.subject.partition(":")[2], with_for_update=True)
    if volume is not None and not volume.is_deleted:
        volume.status, volume.is_deleted, volume.deleted_at = "deleted", True, now()


def _failed(session: Session, operation: Operation) -> None:
    volume = session.get(Volume, operation.subject.partition(":")[2], with_for_update=True)
    if volume is not None and not volume.is_deleted:
        volume.status, volume.fault = "error_deleting", operation.fault


DEFINITION = Definition(
    kind="volume.delete",
    action="delete",
    steps=(
        Step(
            "remove",
            _remove,
            deadline_s=600,
            late="The storage host did not remove the volume in time: it goes when the host is back.",
        ),
    ),
    on_done=_done,
    on_failed=_failed,
)
