"""Two of them at once would undo each other's work."""

import pytest

from lab.up import lock
from lab.up.step import StepError


@pytest.mark.parametrize(
    ("first", "second"), [("up", "up"), ("up", "down"), ("down", "up"), ("up", "prepare"), ("prepare", "up")]
)
def test_the_second_is_refused_until_the_first_has_ended(
    first: str, second: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(lock, "_NAME", f"\0{tmp_path_factory.mktemp('lock')}")
    monkeypatch.setattr("lab.up.places.CHECKOUT", tmp_path_factory.mktemp("checkout"))
    refused = pytest.raises(StepError, match=r"runs on this machine|is at work in")
    with lock.hold(first), refused, lock.hold(second):
        pass
    with lock.hold(second):
        pass


def test_the_demo_may_run_beside_anything() -> None:
    with lock.hold("demo"), lock.hold("demo"):
        pass
