"""What an operation is made of: named steps, each with its undo next to it, a deadline and a give-up rule."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import update
from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.db.session import Database
from controller.operations.model import Operation

Result = TypeVar("Result")


@dataclass(frozen=True)
class Waiting:
    """A step's answer: not yet, wake me on a word about the subject. ``what`` is for people.

    It is asked again after ``again_s`` without a word: not everything that a step looks at has one. ``fault`` is what
    is in the way, if that is known: users are told if the step is late in the end.
    """

    what: str
    again_s: float = 30.0
    fault: str = ""


class StepFailed(Exception):
    """The step gives up: all steps before it are undone. ``message`` is told to the user."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Backtrack(Exception):
    """Undo back to the step named ``to``, itself included, and go on from it: the next candidate."""

    def __init__(self, to: str, message: str) -> None:
        super().__init__(message)
        self.to = to
        self.message = message


class LeaseLost(Exception):
    """Another worker took over, or the operation was superseded: stop, write nothing."""


@dataclass
class Run:
    """What a step gets: the operation as claimed, and the only way to write on its behalf."""

    db: Database
    operation: Operation
    step: "Step | None" = None

    @property
    def resource_id(self) -> str:
        """The id part of the subject."""
        return self.operation.subject.partition(":")[2]

    @property
    def input(self) -> dict[str, Any]:
        """What the verb gave."""
        return self.operation.input

    @property
    def memory(self) -> dict[str, Any]:
        """What earlier steps noted; change it by ``remember`` only."""
        return self.operation.memory

    @property
    def left_s(self) -> float:
        """Seconds until the step, or its undo, is late."""
        deadline = self.operation.step_deadline
        return (deadline - now()).total_seconds() if deadline is not None else float("inf")

    @property
    def waited_s(self) -> float:
        """Seconds since the step, or its undo, began."""
        if self.step is None or self.operation.step_deadline is None:
            return 0.0
        is_undo = self.operation.direction == "undo"
        return (self.step.undo_deadline_s if is_undo else self.step.deadline_s) - self.left_s

    def write(self, verb: Callable[[Session], Result]) -> Result:
        """Runs ``verb`` in a transaction that fails with LeaseLost unless this claim still holds."""

        def fenced(session: Session) -> Result:
            self.hold(session)
            return verb(session)

        return self.db.write(fenced)

    def hold(self, session: Session) -> None:
        """Locks the operation's row first, and makes sure that it is still ours."""
        held = session.execute(
            update(Operation)
            .where(
                Operation.id == self.operation.id,
                Operation.lease_epoch == self.operation.lease_epoch,
                Operation.state == "running",
            )
            .values(updated_at=now())
        )
        if held.rowcount != 1:  # type: ignore[attr-defined]
            raise LeaseLost(self.operation.id)

    def remember(self, session: Session, **notes: Any) -> None:
        """Notes something for later steps, within a verb given to ``write``."""
        self.operation.memory = {**self.operation.memory, **notes}
        session.execute(
            update(Operation).where(Operation.id == self.operation.id).values(memory=self.operation.memory)
        )


Act = Callable[[Run], Waiting | None]


@dataclass(frozen=True)
class Step:
    """One step. ``do`` and ``undo`` are idempotent: either may run again after a crash in the middle.

    They return Waiting, or None when done. ``do`` may raise StepFailed or Backtrack; any other
    exception is tried again until ``deadline_s`` after the step began, then counts as failed. An undo that
    is not through after ``undo_deadline_s`` is passed over: nothing waits for ever for a host that is dead.
    What it was to release is then the resource's, which ends in ERROR, until that is deleted.
    """

    name: str
    do: Act
    undo: Act | None = None
    deadline_s: float = 60.0
    late: str = "It took too long."
    undo_deadline_s: float = 300.0


@dataclass(frozen=True)
class Definition:
    """A kind of operation. ``action`` is its name in the history that users see.

    ``on_done`` and ``on_failed`` run in the transaction that ends the operation.
    """

    kind: str
    action: str
    steps: Sequence[Step]
    on_failed: Callable[[Session, Operation], None]
    on_done: Callable[[Session, Operation], None] = field(default=lambda _session, _operation: None)

    def index(self, name: str) -> int:
        """The place of a step."""
        return next(i for i, step in enumerate(self.steps) if step.name == name)
