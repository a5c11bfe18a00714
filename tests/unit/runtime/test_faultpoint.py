"""Which line of a plan fires at which passing."""

import pathlib

import pytest

from runtime import faultpoint
from runtime.faultpoint import InjectedFaultError


@pytest.fixture
def plan(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The file of a process that passed no point yet."""
    path = tmp_path / "plan"
    monkeypatch.setattr(faultpoint, "_FILE", str(path))
    monkeypatch.setattr(faultpoint, "_passed", {})
    return path


def fires(name: str) -> bool:
    try:
        faultpoint.point(name)
    except InjectedFaultError:
        return True
    return False


def test_without_a_plan_nothing_fires(plan: pathlib.Path) -> None:
    assert not fires("here")


@pytest.mark.parametrize(
    ("count", "expected"), [("", [1, 0, 0, 0]), ("3", [0, 0, 1, 0]), ("*", [1, 1, 1, 1])]
)
def test_it_fires_as_often_as_the_line_says(plan: pathlib.Path, count: str, expected: list[int]) -> None:
    plan.write_text(f"here fail {count}\n")
    assert [fires("here") for _ in expected] == expected
    assert not fires("there")


def test_what_fired_does_not_fire_again_in_a_process_started_anew(
    plan: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.write_text("here fail\n")
    assert fires("here")
    monkeypatch.setattr(faultpoint, "_passed", {})
    assert not fires("here")


def test_a_trace_names_what_was_passed(plan: pathlib.Path) -> None:
    plan.write_text("* trace\n")
    faultpoint.point("here")
    faultpoint.point("there")
    assert plan.with_name("plan.passed").read_text().split() == ["here", "there"]
