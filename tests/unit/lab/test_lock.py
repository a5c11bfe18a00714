"""Two of them at once would undo each other's work."""

import pathlib
import threading

import pytest

from lab.up import lock
from lab.up.step import StepError


@pytest.mark.parametrize(("first", "second"), [("up", "up"), ("up", "down"), ("down", "up")])
def test_the_second_on_a_machine_is_refused_until_the_first_has_ended(
    first: str, second: str, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(lock, "_NAME", f"\0{tmp_path}")
    refused = pytest.raises(StepError, match="runs on this machine")
    with lock.machine(first), refused, lock.machine(second):
        pass
    with lock.machine(second):
        pass


def test_the_demo_may_run_beside_anything() -> None:
    with lock.machine("demo"), lock.machine("demo"):
        pass


def test_who_writes_into_a_checkout_waits_for_the_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr("lab.up.places.CHECKOUT", tmp_path)
    order: list[str] = []

    @lock.checkout()
    def second() -> None:
        order.append("second")

    with lock.checkout():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(timeout=0.2)
        assert thread.is_alive(), "it did not wait"
        order.append("first")
    thread.join(timeout=10)
    assert order == ["first", "second"]
