"""``make down`` leaves nothing, and ``make up`` brings back what was there."""

import pathlib
import subprocess
import sys

import pytest

from lab.up import profile
from lab.up.command import environment

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize("which", profile.PROFILES)
def test_down_leaves_nothing_on_the_machine(which: str) -> None:
    """On a machine of its own: the cloud of the other tests goes on."""
    alone = [str(ROOT / "tests/alone.sh"), sys.executable, "-m", "tests.system.remains", which]
    done = subprocess.run(
        alone,
        cwd=ROOT,
        env=environment(),  # the SDK of the one that looks keeps its entry points in the checkout, not in ~/.cache
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
