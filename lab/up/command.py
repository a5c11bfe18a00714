"""Runs a program of a step, its output in the step's log; waits for a condition."""

import os
import pathlib
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from lab.up import places
from lab.up.step import INTERRUPTED, StepError

#: Set where a container image builds without bytecode, which would make every process start slower.
_UNWANTED_ENVIRONMENT = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV")


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what would slow down or mislead programs of ours.

    Their caches (of pip, uv, entry points) are the checkout's, unless a variable of their own names another.
    """
    kept = {key: value for key, value in os.environ.items() if key not in _UNWANTED_ENVIRONMENT}
    return kept | {"XDG_CACHE_HOME": str(places.CACHE)} | more


def run(
    step: str, arguments: Sequence[str], remedy: str, env: Mapping[str, str] | None = None, text_in: str = ""
) -> None:
    """Runs it in the checkout, output appended to the step's log. Raises StepError."""
    log = step_log(step)
    with log.open("a") as output:
        output.write(f"--- {' '.join(arguments)}\n")
        output.flush()
        done = subprocess.run(
            arguments,
            stdout=output,
            stderr=subprocess.STDOUT,
            input=text_in,
            text=True,
            cwd=places.CHECKOUT,
            env=environment() if env is None else env,
            check=False,
        )
    if done.returncode:
        program = pathlib.Path(arguments[0]).name
        raise StepError(f"{program} ended with status {done.returncode}", remedy, log)


def start(step: str, arguments: Sequence[str]) -> None:
    """Starts what stays, in a session of its own, output appended to the step's log."""
    with step_log(step).open("a") as output:
        subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment(),
            start_new_session=True,
        )


def stream(step: str, arguments: Sequence[str], remedy: str) -> None:
    """Like ``run``, but what it prints is shown at once as well. Raises StepError."""
    log = step_log(step)
    with (
        log.open("w") as copy,
        subprocess.Popen(
            arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=places.CHECKOUT,
            env=environment(),
        ) as process,
    ):
        for line in process.stdout or ():
            print(f"{'':27}{line.rstrip()}", flush=True)
            copy.write(line)
    if process.returncode:
        raise StepError(f"{arguments[-1]} ended with status {process.returncode}", remedy, log)


def output(arguments: Sequence[str], timeout_s: float = 60.0) -> str | None:
    """What a program prints; None if it fails, is not there or takes too long."""
    try:
        done = subprocess.run(
            arguments, capture_output=True, text=True, timeout=timeout_s, check=False, env=environment()
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout


def step_log(step: str) -> pathlib.Path:
    """The log of one step of ``up`` or ``down``."""
    places.LOG.mkdir(parents=True, exist_ok=True)
    return places.LOG / f"up-{step.replace(' ', '-')}.log"


def wait_until(holds: Callable[[], bool], timeout_s: float, error: Callable[[], StepError]) -> None:
    """Polls until ``holds``; raises ``error`` after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            raise error()
        if INTERRUPTED.wait(0.05):
            raise StepError("it was interrupted", "run it again: it goes on where it stopped")
