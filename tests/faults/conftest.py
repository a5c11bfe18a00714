"""The cloud of this machine with fault points, and the table of what was survived.

``CUMULET_FAULT_CASES=all`` (``make faults``) runs every case; else a sample is run, chosen by ``CUMULET_FAULT_SEED``.
``CUMULET_FAULT_NOTES`` is the directory of what is for the table. As root; a cloud that was up is left up, without
fault points.
"""

import os
import pathlib
import subprocess
from collections.abc import Iterator

import pytest

from lab.up import profile
from tests.faults import choice, table
from tests.faults.cloud import PLAN, Cloud

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
TEST_TIMEOUT_S = 600
#: Short, so that an engine that was killed is not waited for half a minute at each case.
LEASE_S = 6

_WITH_FAULTS = {"CUMULET_FAULTS": str(PLAN), "OS_ENGINE__LEASE_S": str(LEASE_S)}


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """A cloud whose processes can be killed anywhere."""
    was_up = _lab("status", check=False) == 0
    PLAN.unlink(missing_ok=True)
    _lab("up", "--no-demo", "--profile", profile.FULL, more=_WITH_FAULTS)
    made = Cloud()
    made.until(made.all_are_heard, "all agents")
    yield made
    made.unplan()
    made.db.close()
    _lab(*(("up", "--no-demo") if was_up else ("down",)))


@pytest.fixture(autouse=True)
def no_faults_left(cloud: Cloud) -> Iterator[None]:
    """Each test sets its own."""
    yield
    cloud.unplan()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A case is as long as the recoveries in it; the sample has no part of what the full set alone can tell."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(TEST_TIMEOUT_S))
    left_out = [] if choice.IS_ALL else [i for i in items if i.get_closest_marker("full_set_only")]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Notes how each test of this folder went."""
    if "tests/faults/" in report.nodeid:
        table.note(report)


def pytest_sessionfinish() -> None:
    """Keeps what is for the table."""
    if path := os.environ.get("CUMULET_FAULT_NOTES"):
        table.keep(ROOT / path)


def _lab(*arguments: str, check: bool = True, more: dict[str, str] | None = None) -> int:
    command = [str(ROOT / "lab/up/bootstrap.sh"), *arguments]
    environment = os.environ | (more or {})
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=environment
    )
    assert not check or done.returncode == 0, f"lab.up {arguments[0]} failed:\n{done.stdout[-4000:]}"
    return done.returncode
