"""What ends by itself is started again."""

import os
import pathlib
import signal
import subprocess

import pytest

from lab.up import places, profile, supervisor
from tests.system.watch import eventually

ROOT = pathlib.Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("openstack")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_ends_comes_back(number: signal.Signals) -> None:
    """All at once; one that nobody asked supervisord to stop was not meant to end, however politely it did."""
    before = {name: _pid(name) for name in profile.programs()}
    for pid in before.values():
        os.kill(pid, number)
    for name, pid in before.items():
        eventually(lambda n=name, p=pid: _is_another(n, p), f"another {name}", 60)  # type: ignore[misc]
    command = [str(ROOT / "lab/up/bootstrap.sh"), "up", "--no-demo"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]


def _pid(name: str) -> int:
    return int(places.pid_file(name).read_text())


def _is_another(name: str, pid: int) -> bool:
    return supervisor.states().get(name) == "RUNNING" and _pid(name) != pid
