"""What nobody asks for and somebody must do now and then: one thread, which does each chore when it is due.

Chores are safe to do twice and side by side, in as many processes as there are; what fails is logged and
done again next time.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runtime import trouble, watchdog

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chore:
    """Something to do at the start and then every so often."""

    name: str
    every_s: float
    do: Callable[[], None]


class Chores:
    """The thread. ``start`` it once; it ends with its process, or by ``stop``.

    With the name ``watched`` the watchdog sees to it that the thread comes round, so no chore may take a minute.
    """

    def __init__(self, chores: Sequence[Chore], watched: str = "") -> None:
        self._due = [(0.0, chore) for chore in chores]
        self._woken = threading.Event()
        self._is_stopping = False
        self._turns = watchdog.Turns(watched, self._woken.set) if watched else None
        self._thread = threading.Thread(target=self._work, name="chores", daemon=True)

    def start(self) -> None:
        """Does every chore once, then each in its time."""
        self._thread.start()

    def stop(self) -> None:
        """Lets the chore under way end."""
        self._is_stopping = True
        self._woken.set()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while not self._is_stopping:
            self._woken.clear()
            at = time.monotonic()
            self._due = [(self._done(chore, at) if due <= at else due, chore) for due, chore in self._due]
            if self._turns is not None:
                self._turns.turned()
            if not self._is_stopping:
                self._woken.wait(max(0.0, min(due for due, _ in self._due) - time.monotonic()))

    def _done(self, chore: Chore, at: float) -> float:
        """Does one; when it is due again."""
        try:
            chore.do()
        except Exception as error:
            trouble.tell(LOG, error, "%s: not done, again in %g s", chore.name, chore.every_s)
        return at + chore.every_s
