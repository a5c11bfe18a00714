"""Takes one claimed operation as far as it goes: step after step, forwards or undoing.

A crash between any two lines leaves a row from which another worker goes on at the same step.
"""

import datetime
import logging
from collections.abc import Callable

from sqlalchemy import update
from sqlalchemy.orm import Session

from controller.db.columns import new_uuid, now
from controller.db.session import Database
from controller.operations import claim
from controller.operations.model import Operation, OperationEvent
from controller.operations.step import Backtrack, Definition, LeaseLost, Run, Step, StepFailed, Waiting
from runtime import faultpoint, trouble

LOG = logging.getLogger(__name__)

#: Between two tries of a step that raised something unexpected.
RETRY_S = 1.0


def advance(db: Database, definition: Definition, operation: Operation) -> None:
    """Runs steps until the operation ends or waits. Raises LeaseLost when it was taken away."""
    run = Run(db, operation)
    while True:
        if operation.direction == "undo":
            is_going_on = _undo(run, definition)
        elif operation.step >= len(definition.steps):
            _finish(run, definition, "done")
            is_going_on = False
        else:
            is_going_on = _do(run, definition)
        if not is_going_on:
            return


def _do(run: Run, definition: Definition) -> bool:
    step = run.step = definition.steps[run.operation.step]
    try:
        _begin(run, step)
        faultpoint.point(f"operation.{definition.kind}.{step.name}.before")
        outcome = step.do(run)
        faultpoint.point(f"operation.{definition.kind}.{step.name}.after")
    except LeaseLost:
        raise
    except StepFailed as error:
        return _turn(run, definition, None, error)
    except Backtrack as error:
        return _turn(run, definition, error.to, error)
    except Exception as error:
        return _again(run, definition, step, error)
    if isinstance(outcome, Waiting):
        return _wait(run, definition, outcome)
    _next(run, definition, step, run.operation.step + 1)
    return True


def _undo(run: Run, definition: Definition) -> bool:
    """Undoes the step under the cursor; at the place to return to, goes forwards again or ends."""
    operation = run.operation
    if operation.step < int(operation.memory.get("undo_to", 0)):
        if operation.memory.get("is_backtrack"):
            _next(run, definition, None, operation.step + 1)
            return True
        _finish(run, definition, "failed")
        return False
    step = run.step = definition.steps[operation.step]
    try:
        _begin_undo(run, step)
        faultpoint.point(f"operation.{definition.kind}.{step.name}.undo.before")
        outcome = step.undo(run) if step.undo else None
        faultpoint.point(f"operation.{definition.kind}.{step.name}.undo.after")
    except LeaseLost:
        raise
    except Exception as error:
        trouble.tell(LOG, error, "undo of %s of %s: unexpected error", step.name, operation.subject)
        outcome = Waiting("another try", again_s=RETRY_S)
    if isinstance(outcome, Waiting) and run.left_s > 0:
        run.db.write(lambda s: claim.rest(s, operation, _look_again(run, outcome)))
        return False
    if isinstance(outcome, Waiting):
        LOG.error(
            "undo of %s of %s is given up: it waited for %s", step.name, operation.subject, outcome.what
        )
    _undo_next(run, operation.step - 1)
    return True


def _begin_undo(run: Run, step: Step) -> None:
    """Starts the undo's clock, once."""
    if run.operation.step_deadline is None:
        _set_deadline(run, step.undo_deadline_s, lambda session: None)


def _begin(run: Run, step: Step) -> None:
    """Starts the step's clock, once: the first step's, as others are begun by the end of the one before."""
    if run.operation.step_deadline is None:
        _set_deadline(run, step.deadline_s, lambda session: _open_event(session, run.operation, step))


def _set_deadline(run: Run, after_s: float, also: Callable[[Session], None]) -> None:
    deadline = _after(after_s)

    def write(session: Session) -> None:
        session.execute(
            update(Operation).where(Operation.id == run.operation.id).values(step_deadline=deadline)
        )
        also(session)

    run.write(write)
    run.operation.step_deadline = deadline


def _next(run: Run, definition: Definition, done: Step | None, index: int) -> None:
    """Ends a step that is done, and begins the one after it in the same transaction."""
    following = definition.steps[index] if index < len(definition.steps) else None
    deadline = _after(following.deadline_s) if following is not None else None

    def write(session: Session) -> None:
        if done is not None:
            _close_event(session, run.operation, "Success", None)
        if following is not None:
            _open_event(session, run.operation, following)
        _move(session, run.operation, index, "do", deadline)

    run.write(write)
    run.operation.step, run.operation.direction, run.operation.step_deadline = index, "do", deadline


def _undo_next(run: Run, index: int) -> None:
    run.write(lambda session: _move(session, run.operation, index, "undo", None))
    run.operation.step, run.operation.step_deadline = index, None


def _move(
    session: Session, operation: Operation, index: int, direction: str, deadline: datetime.datetime | None
) -> None:
    session.execute(
        update(Operation)
        .where(Operation.id == operation.id)
        .values(step=index, direction=direction, step_deadline=deadline, wake_at=None)
    )


def _turn(run: Run, definition: Definition, to: str | None, error: StepFailed | Backtrack) -> bool:
    """Begins to undo from the current step: all of it, or back to step ``to`` to go on from there."""
    operation = run.operation
    message, details = error.message, getattr(error, "details", "")
    LOG.warning("%s of %s: %s %s", definition.kind, operation.subject, message, details)

    def write(session: Session) -> None:
        run.remember(session, undo_to=definition.index(to) if to else 0, is_backtrack=to is not None)
        _close_event(session, operation, "Error", message)
        session.execute(
            update(Operation)
            .where(Operation.id == operation.id)
            .values(direction="undo", step_deadline=None, fault=message, fault_details=details or None)
        )

    run.write(write)
    operation.direction, operation.step_deadline = "undo", None
    operation.fault, operation.fault_details = message, details or None
    return True


def _wait(run: Run, definition: Definition, waiting: Waiting) -> bool:
    step = definition.steps[run.operation.step]
    if run.left_s <= 0:
        message = f"{step.late} {waiting.fault}".strip()
        late = StepFailed(message, f"step {step.name} waited {step.deadline_s:g} s for {waiting.what}")
        return _turn(run, definition, None, late)
    run.db.write(lambda s: claim.rest(s, run.operation, _look_again(run, waiting)))
    return False


def _look_again(run: Run, waiting: Waiting) -> datetime.datetime:
    """When a step that waits is asked again though no word came; at its deadline at the latest."""
    return _after(max(0.0, min(waiting.again_s, run.left_s)))


def _again(run: Run, definition: Definition, step: Step, error: Exception) -> bool:
    trouble.tell(LOG, error, "step %s of %s: unexpected error", step.name, run.operation.subject)
    if run.left_s <= 0:
        return _turn(run, definition, None, StepFailed(step.late, repr(error)))
    run.db.write(lambda s: _rest_ready(s, run.operation))
    return False


def _rest_ready(session: Session, operation: Operation) -> None:
    session.execute(
        update(Operation)
        .where(
            Operation.id == operation.id,
            Operation.lease_epoch == operation.lease_epoch,
            Operation.state == "running",
        )
        .values(
            state="ready",
            lease_until=None,
            wake_at=claim.database_now(session) + datetime.timedelta(seconds=RETRY_S),
        )
    )


def _finish(run: Run, definition: Definition, state: str) -> None:
    operation = run.operation
    is_done = state == "done"

    def write(session: Session) -> None:
        (definition.on_done if is_done else definition.on_failed)(session, operation)
        # what a host refused before another took it is no fault of the whole
        fault = {"fault": None, "fault_details": None} if is_done else {}
        session.execute(
            update(Operation)
            .where(Operation.id == operation.id)
            .values(state=state, finished_at=now(), lease_until=None, wake_at=None, **fault)
        )

    try:
        run.write(write)
    except LeaseLost:
        raise
    except Exception as error:
        trouble.tell(
            LOG, error, "end of %s of %s: again in %g s", definition.kind, operation.subject, RETRY_S
        )
        run.db.write(lambda s: _rest_ready(s, operation))


def _after(seconds: float) -> datetime.datetime:
    return now() + datetime.timedelta(seconds=seconds)


def _open_event(session: Session, operation: Operation, step: Step) -> None:
    session.add(OperationEvent(id=new_uuid(), operation_id=operation.id, name=step.name))


def _close_event(session: Session, operation: Operation, result: str, fault: str | None) -> None:
    session.execute(
        update(OperationEvent)
        .where(OperationEvent.operation_id == operation.id, OperationEvent.finished_at.is_(None))
        .values(finished_at=now(), result=result, fault=fault)
    )
