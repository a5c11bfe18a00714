"""Named points where tests kill, stop, delay or fail a process.

Off unless ``CUMULET_FAULTS`` names a file; its lines are ``NAME ACTION [COUNT]`` with ACTION one of
``kill``, ``stop``, ``fail`` and ``delay:SECONDS``; COUNT says at which passing it fires (first if left
out). Each line fires once: what fired is noted in ``<file>.fired``, so that a restarted process goes on. With
the COUNT ``*`` it fires at every passing.
A line ``* trace`` has every point that is passed written to ``<file>.passed``.
"""

import contextlib
import os
import pathlib
import re
import signal
import threading
import time
from collections.abc import Iterator

_FILE = os.environ.get("CUMULET_FAULTS", "")
_lock = threading.Lock()
_passed: dict[str, int] = {}


class InjectedFaultError(Exception):
    """Raised by the action ``fail``."""


def point(name: str) -> None:
    """A place where a test may interfere; without one this costs a comparison."""
    if _FILE:
        _consult(name)


@contextlib.contextmanager
def around(agent: str, action: object) -> Iterator[None]:
    """A point before an agent's action and one after it has succeeded: ``ovs.mark_wired.before`` for MarkWired."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(action).__name__).lower()
    point(f"{agent}.{name}.before")
    yield
    point(f"{agent}.{name}.after")


def _consult(name: str) -> None:
    with _lock:
        _passed[name] = _passed.get(name, 0) + 1
        action = _due(name, _passed[name])
    if action is not None:
        _act(name, action)


def _due(name: str, passing: int) -> str | None:
    plan, fired = pathlib.Path(_FILE), pathlib.Path(_FILE + ".fired")
    if not plan.exists():
        return None
    done = fired.read_text().splitlines() if fired.exists() else []
    for line in plan.read_text().splitlines():
        words = line.split()
        if words == ["*", "trace"]:
            _append(pathlib.Path(_FILE + ".passed"), name)
        if len(words) < 2 or words[0] != name or (line in done and words[2:] != ["*"]):
            continue
        if words[2:] not in ([], ["*"], [str(passing)]):
            continue
        _append(fired, line)
        return words[1]
    return None


def _append(path: pathlib.Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def _act(name: str, action: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif action == "fail":
        raise InjectedFaultError(name)
    elif action.startswith("delay:"):
        time.sleep(float(action.partition(":")[2]))
