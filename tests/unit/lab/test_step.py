"""A step that fails is told with its name, the reason, the end of its log and a remedy, whatever was raised."""

import concurrent.futures
import os
import pathlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from lab.up import command, step
from lab.up.step import Printer, Step, StepError


@pytest.fixture(autouse=True)
def _not_interrupted() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    step.INTERRUPTED.clear()
    signal.signal(signal.SIGINT, before)


def failing(error: BaseException) -> Step:
    def fail() -> str:
        raise error

    return Step("database", fail)


def test_what_a_step_says_is_shown(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    log.write_text("first\n" * 50 + "the last line\n")
    error = StepError("mariadbd ended with status 1", "see to it", log)
    assert not step.run([failing(error)], Printer())
    told = capsys.readouterr().err
    for part in ("step 'database' failed: mariadbd ended with status 1", "the last line", "to do: see to it"):
        assert part in told
    assert told.count("first") < 20


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "No such file", "/x/manage"), KeyError("own"), ZeroDivisionError()]
)
def test_what_nobody_thought_of_is_told_without_a_traceback(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not step.run([failing(error)], Printer())
    told = capsys.readouterr().err
    assert f"step 'database' failed: {type(error).__name__}" in told
    assert "test_step.py" in told, "where it came from"
    assert "what to do: " in told
    assert "Traceback" not in told


def test_nothing_begins_after_a_failure_and_what_runs_is_waited_for() -> None:
    failed, ended = threading.Event(), []

    def slow() -> str:
        assert failed.wait(10)
        ended.append("slow")
        return ""

    def fail() -> str:
        failed.set()
        raise StepError("no", "never mind")

    later = Step("later", lambda: ended.append("later") or "", ("fails",))  # type: ignore[func-returns-value]
    assert not step.run([Step("slow", slow), Step("fails", fail), later], Printer())
    assert ended == ["slow"]


def test_an_interrupt_ends_what_waits() -> None:
    """The daemon that it waits for may take minutes."""

    def wait() -> str:
        os.kill(os.getpid(), signal.SIGINT)
        command.wait_until(lambda: False, 600, lambda: StepError("never", ""))
        return ""

    with pytest.raises(KeyboardInterrupt):
        step.run([Step("waits", wait)], Printer())
    assert step.INTERRUPTED.is_set()


def test_an_interrupt_breaks_nothing_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the main thread is in the middle of a lock's code, an exception would be replaced by the lock's own."""
    went_on = []

    def interrupted_wait(*arguments: Any, **options: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        went_on.append(True)
        return concurrent.futures.wait(*arguments, **options)

    monkeypatch.setattr(step, "wait", interrupted_wait)
    with pytest.raises(KeyboardInterrupt):
        step.run([Step("quick", lambda: "")], Printer())
    assert went_on
