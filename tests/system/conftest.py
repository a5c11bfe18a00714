"""What tests on the whole cloud of this machine share.

They need root, and are meant to be run by ``make system``, which gives them a machine of their own. A cloud
that runs is used and left running; else it is started, and taken down at the end.
"""

import json
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from lab.up import places, profile

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
#: Real guests boot slowly where there is no KVM.
TEST_TIMEOUT_S = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """More time than other tests have, unless the test says otherwise."""
    for item in items:
        if HERE in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(TEST_TIMEOUT_S))


@pytest.fixture(scope="session", autouse=True)
def machine() -> None:
    """What all of these tests need; they fail without."""
    assert os.geteuid() == 0, "system tests need root"
    wanted = ("libvirtd", "ovs-vswitchd", "qemu-system-x86_64", "tgtd", "tini")
    missing = [name for name in wanted if not shutil.which(name)]
    assert not missing, f"'make prepare' installs what is missing here: {missing}"


class Openstack:
    """The unmodified ``openstack`` client, as the administrator."""

    def __call__(self, *arguments: str) -> Any:
        """Runs a command that prints an object or a list, and gives it back."""
        return json.loads(self.text(*arguments, "-f", "json"))

    def text(self, *arguments: str) -> str:
        """Runs any command, and gives back what it prints."""
        program = pathlib.Path(places.tool("openstack"))
        environment = os.environ | {"OS_CLIENT_CONFIG_FILE": str(places.CLOUDS), "OS_CLOUD": "cumulet"}
        done = subprocess.run(
            [program, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, f"openstack {' '.join(arguments)}: {done.stderr.strip()}"
        return done.stdout


@pytest.fixture(scope="session")
def cloud() -> Iterator[None]:
    """What was up stays up, as it was."""
    before = profile.current() if _lab("status", check=False) == 0 else ""
    yield
    _lab(*(("up", "--no-demo", "--profile", before) if before else ("down",)))


@pytest.fixture(scope="session", params=profile.PROFILES)
def openstack(cloud: None, request: pytest.FixtureRequest) -> Openstack:
    """The client of a cloud that runs in a profile: all tests with one, then the same cloud is moved to the other."""
    _lab("up", "--no-demo", "--profile", request.param)
    return Openstack()


def _lab(*arguments: str, check: bool = True) -> int:
    command: Sequence[str] = [str(ROOT / "lab/up/bootstrap.sh"), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert not check or done.returncode == 0, f"lab.up {arguments[0]} failed:\n{done.stdout[-4000:]}"
    return done.returncode
