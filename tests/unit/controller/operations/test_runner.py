"""Operations: order, undo, waiting, deadlines, leases, and that no wake is lost."""

import contextlib
import dataclasses
import datetime
import pathlib
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from controller.db.columns import Base, now
from controller.db.session import Database
from controller.operations import claim
from controller.operations.advance import advance
from controller.operations.begin import begin, supersede, wake
from controller.operations.model import Operation, OperationEvent
from controller.operations.runner import Runner
from controller.operations.step import Backtrack, Definition, LeaseLost, Run, Step, StepFailed, Waiting

SUBJECT = "thing:1"


@pytest.fixture
def db(tmp_path: pathlib.Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/test.db")
    # other tests may have imported models whose foreign keys lead to some that nobody has imported
    Base.metadata.create_all(database.engine, tables=[Operation.__table__, OperationEvent.__table__])
    yield database
    database.close()


class Journal:
    """What steps did, in order; ``at`` makes a step behave otherwise."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.at: dict[str, Callable[[Run], Waiting | None]] = {}

    def step(self, name: str, **more: float) -> Step:
        def act(line: str) -> Callable[[Run], Waiting | None]:
            def do(run: Run) -> Waiting | None:
                self.lines.append(line)
                return self.at[line](run) if line in self.at else None

            return do

        return Step(name, act(name), act(f"undo {name}"), **more)

    def definition(self, *names: str, **more: float) -> Definition:
        def failed(_session: Session, _operation: Operation) -> None:
            self.lines.append("failed")

        def done(_session: Session, _operation: Operation) -> None:
            self.lines.append("done")

        return Definition("thing.do", "do", [self.step(n, **more) for n in names], failed, done)


@pytest.fixture
def journal() -> Journal:
    return Journal()


def started(db: Database, definition: Definition) -> str:
    return db.write(lambda s: begin(s, definition, SUBJECT, ("p", "u"))).id


def go(db: Database, definition: Definition, operation_id: str) -> Operation:
    operation = db.write(lambda s: claim.claim(s, operation_id))
    assert operation is not None
    advance(db, definition, operation)
    return look(db, operation_id)


def look(db: Database, operation_id: str) -> Operation:
    with db.read() as session:
        return session.get_one(Operation, operation_id)


def fail(run: Run) -> Waiting | None:
    raise StepFailed("it cannot be", "because")


def test_steps_run_in_order_and_leave_their_events(db: Database, journal: Journal) -> None:
    definition = journal.definition("one", "two")
    operation = go(db, definition, started(db, definition))
    assert journal.lines == ["one", "two", "done"]
    assert operation.state == "done"
    with db.read() as session:
        events = session.scalars(select(OperationEvent).order_by(OperationEvent.started_at)).all()
    assert [(e.name, e.result) for e in events] == [("one", "Success"), ("two", "Success")]


def test_a_failed_step_undoes_itself_and_all_before(db: Database, journal: Journal) -> None:
    journal.at["two"] = fail
    definition = journal.definition("one", "two", "three")
    operation = go(db, definition, started(db, definition))
    assert journal.lines == ["one", "two", "undo two", "undo one", "failed"]
    assert (operation.state, operation.fault, operation.fault_details) == (
        "failed",
        "it cannot be",
        "because",
    )


def test_backtrack_undoes_to_the_named_step_and_goes_on(db: Database, journal: Journal) -> None:
    tries = iter([True, False])

    def refuse_once(run: Run) -> Waiting | None:
        if next(tries):
            raise Backtrack("two", "the host refused")
        return None

    journal.at["three"] = refuse_once
    definition = journal.definition("one", "two", "three")
    operation = go(db, definition, started(db, definition))
    assert journal.lines == ["one", "two", "three", "undo three", "undo two", "two", "three", "done"]
    assert operation.state == "done"


def test_a_waiting_step_is_run_again_after_a_wake(db: Database, journal: Journal) -> None:
    answers: list[Waiting | None] = [Waiting("a word"), None]
    journal.at["one"] = lambda _run: answers.pop(0)
    definition = journal.definition("one")
    operation_id = started(db, definition)
    assert go(db, definition, operation_id).state == "waiting"
    db.write(lambda s: wake(s, SUBJECT))
    assert look(db, operation_id).state == "ready"
    assert go(db, definition, operation_id).state == "done"


def test_a_wake_while_the_step_looks_is_not_lost(db: Database, journal: Journal) -> None:
    def word_comes_now(run: Run) -> Waiting | None:
        db.write(lambda s: wake(s, SUBJECT))
        return Waiting("a word")

    journal.at["one"] = word_comes_now
    definition = journal.definition("one")
    operation_id = started(db, definition)
    assert go(db, definition, operation_id).state == "ready"


def test_a_step_past_its_deadline_is_undone(db: Database, journal: Journal) -> None:
    journal.at["one"] = lambda _run: Waiting("what never comes")
    definition = journal.definition("one", deadline_s=0)
    operation = go(db, definition, started(db, definition))
    assert journal.lines == ["one", "undo one", "failed"]
    assert operation.fault == "It took too long."


def test_what_was_in_the_way_is_told(db: Database, journal: Journal) -> None:
    journal.at["one"] = lambda _run: Waiting("host one", fault="The image could not be fetched.")
    definition = journal.definition("one", deadline_s=0)
    operation = go(db, definition, started(db, definition))
    assert operation.fault == "It took too long. The image could not be fetched."


def test_an_unexpected_error_is_tried_again(db: Database, journal: Journal) -> None:
    def stumble(run: Run) -> Waiting | None:
        del journal.at["one"]
        raise RuntimeError("no connection")

    journal.at["one"] = stumble
    definition = journal.definition("one")
    operation_id = started(db, definition)
    assert go(db, definition, operation_id).state == "ready"
    db.write(lambda s: s.execute(update(Operation).values(wake_at=None)))
    assert go(db, definition, operation_id).state == "done"


def test_a_worker_past_its_lease_writes_nothing(db: Database, journal: Journal) -> None:
    definition = journal.definition("one")
    operation_id = started(db, definition)
    slow = db.write(lambda s: claim.claim(s, operation_id))
    assert slow is not None
    past = now() - datetime.timedelta(seconds=1)
    db.write(lambda s: s.execute(update(Operation).values(lease_until=past)))
    assert go(db, definition, operation_id).state == "done"
    with pytest.raises(LeaseLost):
        Run(db, slow).write(lambda s: None)


def test_a_superseded_operation_is_cancelled_in_the_middle(db: Database, journal: Journal) -> None:
    journal.at["one"] = lambda _run: db.write(lambda s: supersede(s, SUBJECT, "deleted")) and None
    definition = journal.definition("one", "two")
    operation_id = started(db, definition)
    with pytest.raises(LeaseLost):
        go(db, definition, operation_id)
    assert look(db, operation_id).state == "cancelled"
    assert journal.lines == ["one"]


@pytest.mark.parametrize("crash_at", ["one", "two", "undo two", "undo one"])
def test_a_crash_in_any_step_is_taken_up_by_another_worker(
    db: Database, journal: Journal, crash_at: str
) -> None:
    """The worker dies inside the step; when its lease is over another goes on at the same step."""
    if crash_at.startswith("undo"):
        journal.at["two"] = fail

    class Killed(BaseException):
        """Not an Exception: nothing in the runner may catch it, as with SIGKILL."""

    def die(run: Run) -> Waiting | None:
        del journal.at[crash_at]
        raise Killed

    journal.at[crash_at] = die
    definition = journal.definition("one", "two")
    operation_id = started(db, definition)
    with pytest.raises(Killed):
        go(db, definition, operation_id)
    db.write(lambda s: s.execute(update(Operation).values(lease_until=now() - datetime.timedelta(seconds=1))))
    operation = go(db, definition, operation_id)
    assert operation.state == ("failed" if crash_at.startswith("undo") else "done")
    assert journal.lines.count(crash_at) == 2


def test_many_workers_do_each_operation_once(db: Database) -> None:
    counted: dict[str, int] = {}
    lock = threading.Lock()

    def count(run: Run) -> Waiting | None:
        with lock:
            counted[run.operation.id] = counted.get(run.operation.id, 0) + 1
        return None

    definition = Definition("thing.do", "do", [Step("count", count)], lambda _s, _o: None)
    ids = [db.write(lambda s, i=i: begin(s, definition, f"thing:{i}", ("p", "u"))).id for i in range(40)]
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            runner = Runner(db, {"thing.do": definition}, lambda: None, workers=2)
            runner.start()
            stack.callback(runner.stop)
        deadline = time.monotonic() + 30
        while len(counted) < len(ids) and time.monotonic() < deadline:
            runner.wake()
            time.sleep(0.01)
    assert counted == dict.fromkeys(ids, 1)


def test_a_step_that_waits_is_asked_again_without_a_word(db: Database, journal: Journal) -> None:
    """Not all that a step looks at has a word: a host that falls silent says nothing."""
    journal.at["one"] = lambda _run: Waiting("silence", again_s=5.0)
    definition = journal.definition("one", deadline_s=3600)
    operation = go(db, definition, started(db, definition))
    assert operation.wake_at is not None
    assert operation.wake_at - now() <= datetime.timedelta(seconds=5)


def wait_for_ever(run: Run) -> Waiting | None:
    return Waiting("a host that is dead")


def stumble_for_ever(run: Run) -> Waiting | None:
    raise RuntimeError("no connection")


@pytest.mark.parametrize("undo", [wait_for_ever, stumble_for_ever])
def test_an_undo_is_given_up_at_its_deadline(
    db: Database, journal: Journal, undo: Callable[[Run], Waiting | None]
) -> None:
    journal.at["two"], journal.at["undo two"] = fail, undo
    definition = journal.definition("one", "two", undo_deadline_s=60)
    operation_id = started(db, definition)
    assert go(db, definition, operation_id).state == "waiting"
    db.write(lambda s: s.execute(update(Operation).values(wake_at=None, state="ready", step_deadline=now())))
    assert go(db, definition, operation_id).state == "failed"
    assert journal.lines == ["one", "two", "undo two", "undo two", "undo one", "failed"]


def test_an_end_that_stumbles_is_tried_again(db: Database, journal: Journal) -> None:
    stumbles = iter([True, False])

    def done(_session: Session, _operation: Operation) -> None:
        if next(stumbles):
            raise RuntimeError("the row is locked")

    definition = dataclasses.replace(journal.definition("one"), on_done=done)
    operation_id = started(db, definition)
    assert go(db, definition, operation_id).state == "ready"
    db.write(lambda s: s.execute(update(Operation).values(wake_at=None)))
    assert go(db, definition, operation_id).state == "done"


def test_a_success_after_a_refusal_has_no_fault(db: Database, journal: Journal) -> None:
    tries = iter([True, False])

    def refuse_once(run: Run) -> Waiting | None:
        if next(tries):
            raise Backtrack("one", "the host refused")
        return None

    journal.at["two"] = refuse_once
    definition = journal.definition("one", "two")
    operation = go(db, definition, started(db, definition))
    assert (operation.state, operation.fault) == ("done", None)
