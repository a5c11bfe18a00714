"""The cloud of this machine with fault points, and the table of what was survived.

All cases of one profile come first, then the same cloud is moved to the other. ``CUMULET_FAULT_CASES=all`` (``make
faults``) runs every case; else a sample is run, chosen by ``CUMULET_FAULT_SEED``. ``CUMULET_FAULT_PROFILES`` names the
profiles if not both. ``CUMULET_FAULT_NOTES`` is the directory of what is for the table. As root; a cloud that was up is
left up as it was, without fault points.
"""

import os
import pathlib
import subprocess
import uuid
from collections.abc import Callable, Iterator

import pytest

from lab.up import profile
from tests.faults import choice, network_verbs, table, verbs, witness
from tests.faults.cloud import PLAN, Cloud
from tests.faults.network_verbs import Outlet
from tests.faults.verbs import Site
from tests.faults.witness import Witness

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
TEST_TIMEOUT_S = 600
#: Short, so that an engine that was killed is not waited for half a minute at each case.
LEASE_S = 6

_WITH_FAULTS = {"CUMULET_FAULTS": str(PLAN), "OS_ENGINE__LEASE_S": str(LEASE_S)}


@pytest.fixture(scope="session")
def kept() -> Iterator[None]:
    """What was up stays up, as it was."""
    before = profile.current() if _lab("status", check=False) == 0 else ""
    yield
    _lab(*(("up", "--no-demo", "--profile", before) if before else ("down",)))


@pytest.fixture(scope="session", params=choice.PROFILES)
def cloud(kept: None, request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """A cloud whose processes can be killed anywhere."""
    PLAN.unlink(missing_ok=True)
    _lab("up", "--no-demo", "--profile", request.param, more=_WITH_FAULTS)
    made = Cloud(request.param)
    made.until(made.all_are_heard, "all agents")
    yield made
    made.unplan()
    made.db.close()


@pytest.fixture(scope="module")
def site(cloud: Cloud) -> Iterator[Site]:
    """What the cases of a file share."""
    with verbs.site(cloud) as made:
        yield made


@pytest.fixture(scope="module")
def outlet(cloud: Cloud) -> Iterator[Outlet]:
    """What the cases of a file share that are about the network."""
    with network_verbs.outlet(cloud, f"outlet-{uuid.uuid4().hex[:6]}") as made:
        yield made


@pytest.fixture(scope="module")
def onlooker(cloud: Cloud, site: Site) -> Iterator[Witness]:
    """A guest that writes all the time, and must not notice."""
    with witness.writing(cloud, f"{site.name}-witness") as made:
        yield made


@pytest.fixture(autouse=True)
def no_faults_left(cloud: Cloud, record_property: Callable[[str, object], None]) -> Iterator[None]:
    """Each test sets its own."""
    record_property("profile", cloud.profile)
    yield
    cloud.unplan()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A case is as long as the recoveries in it; those that are not chosen are left out."""
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.timeout(TEST_TIMEOUT_S))
    left_out = set(ours) - set(choice.chosen(ours))
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=list(left_out))


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
