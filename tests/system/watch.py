"""Looks at this host from outside, and waits."""

import subprocess
import time
from collections.abc import Callable


def eventually(holds: Callable[[], bool], what: str, timeout_s: float = 30.0) -> None:
    """Fails unless ``holds`` becomes true in time."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s:.0f} s"
        time.sleep(0.3)


def output_of(*command: str) -> str:
    """What a program of this host prints; it must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip()}"
    return done.stdout
