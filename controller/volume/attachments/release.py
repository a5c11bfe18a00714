"""volume.release: an attachment that an outside client ended goes once its export is gone."""

from sqlalchemy.orm import Session

from controller.operations.model import Operation
from controller.operations.step import Definition, Run, Step, Waiting
from controller.volume.attachments import server


def _withdraw(run: Run) -> Waiting | None:
    """Wants the export gone, and waits for it."""
    attachment_id = run.input["attachment_id"]

    def withdraw(session: Session) -> bool:
        server.unexport(session, attachment_id)
        return server.is_unexported(session, attachment_id)

    return None if run.write(withdraw) else Waiting("the export to be withdrawn")


def _done(session: Session, operation: Operation) -> None:
    server.finish_detach(session, operation.input["attachment_id"])


def _failed(_session: Session, _operation: Operation) -> None:
    """The export stays unwanted and the attachment detaching: ending it again waits again."""


DEFINITION = Definition(
    kind="volume.release",
    action="detach",
    steps=(
        Step(
            "withdraw",
            _withdraw,
            deadline_s=300,
            late="The storage host did not withdraw the export in time: detach again.",
        ),
    ),
    on_done=_done,
    on_failed=_failed,
)
