"""Steps that wait for each other, run side by side, and tell their progress and time."""

import contextlib
import os
import pathlib
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

_TAIL_LINES = 15
_COLOURS = {"done": "32", "failed": "31", "skipped": "33"}


#: Set when the user wants to end: whoever waits for something gives up.
INTERRUPTED = threading.Event()


class StepError(Exception):
    """A step cannot go on: why, what to do about it, and the log that tells more."""

    def __init__(self, reason: str, remedy: str, log: pathlib.Path | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.log = log


@dataclass(frozen=True)
class Step:
    """One named piece of work. ``run`` returns what is worth saying about its result."""

    name: str
    run: Callable[[], str]
    needs: tuple[str, ...] = ()


class Printer:
    """One line when a step begins and one when it ends; colours on a terminal only. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._start = float(os.environ.get("CUMULET_UP_STARTED") or time.time())
        self._colours = sys.stdout.isatty()

    def say(self, name: str, state: str, text: str) -> None:
        """``state`` is begins, done, failed or skipped."""
        colour = _COLOURS.get(state, "2")
        mark = f"\033[{colour}m{state:8}\033[0m" if self._colours else f"{state:8}"
        with self._lock:
            print(f"{self.elapsed_s():6.1f} s  {name:16} {mark} {text}".rstrip(), flush=True)

    def elapsed_s(self) -> float:
        """Seconds since the command was given."""
        return time.time() - self._start


def run(steps: Sequence[Step], printer: Printer) -> bool:
    """Runs all steps, each as soon as those it needs are done. True when all succeeded.

    After a failure no further step begins; those under way are waited for, so that nothing is left half-made.
    Raises KeyboardInterrupt after ^C, when all have ended.
    """
    waiting = {step.name: step for step in steps}
    done: set[str] = set()
    failures: list[tuple[str, BaseException]] = []
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(len(steps)) as pool, _interruptible():
        while running or (waiting and not _is_over(failures)):
            for step in [] if _is_over(failures) else _ready(waiting, done):
                del waiting[step.name]
                running[pool.submit(_run_one, step, printer)] = step.name
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                name, error = running.pop(future), future.exception()
                if error is None:
                    done.add(name)
                else:
                    failures.append((name, error))
    if INTERRUPTED.is_set():
        raise KeyboardInterrupt
    for name, error in failures:
        explain(name, error)
    return not failures


def _is_over(failures: Sequence[object]) -> bool:
    return bool(failures) or INTERRUPTED.is_set()


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """^C ends what waits, and another one while steps still run ends the process.

    Python's own way, an exception wherever the main thread is, is lost when that is in the middle of a lock's code.
    """

    def interrupt(*_: object) -> None:
        INTERRUPTED.set()
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _ready(waiting: dict[str, Step], done: set[str]) -> list[Step]:
    return [step for step in waiting.values() if done.issuperset(step.needs)]


def _run_one(step: Step, printer: Printer) -> None:
    started = time.monotonic()
    printer.say(step.name, "begins", "")
    try:
        text = step.run()
    except BaseException:
        printer.say(step.name, "failed", f"{time.monotonic() - started:.1f} s")
        raise
    printer.say(step.name, "done", f"{time.monotonic() - started:.1f} s  {text}")


def explain(name: str, error: BaseException) -> None:
    """Which step failed, why, the end of its log, and what to do."""
    if not isinstance(error, StepError):
        error = _unexpected(error)
    print(f"\nerror: step {name!r} failed: {error.reason}", file=sys.stderr)
    if error.log and error.log.exists():
        print(f"the end of {error.log}:", file=sys.stderr)
        for line in error.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]:
            print(f"    {line}", file=sys.stderr)
    print(f"what to do: {error.remedy}", file=sys.stderr)


def _unexpected(error: BaseException) -> StepError:
    """What nobody thought of is told like the rest; where it came from is for those who mend it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = "; ".join(f"{pathlib.Path(frame.filename).name}:{frame.lineno}" for frame in frames[-3:])
    if isinstance(error, OSError):
        remedy = "see to what the system says, then run it again: it goes on where it stopped"
    else:
        remedy = "run it again, and if it fails again report it with these lines; 'make down' takes everything away"
    return StepError(f"{type(error).__name__}: {error} ({where})", remedy)
