"""Tells systemd that this process lives: as long as its loops turn, not merely a timer.

A loop that waits for work is woken for it now and then; one that is stuck stays silent, and after WatchdogSec
systemd starts the process anew. Work on one resource may take as long as it takes: that is not a loop.
"""

import logging
import os
import threading
import weakref
from collections.abc import Callable

from runtime import notify

LOG = logging.getLogger(__name__)

#: Looks within systemd's patience: a loop may be in a call of half of it, and is not taken for dead.
_LOOKS = 4


class Turns:
    """A loop's word that it turns. ``wake`` has it turn though there is no work; it must be quick."""

    def __init__(self, name: str, wake: Callable[[], None] = lambda: None) -> None:
        self.name = name
        self.wake = wake
        self.is_fresh = True
        _known.add(self)

    def turned(self) -> None:
        """The loop has come round."""
        self.is_fresh = True


#: Of this process; a loop that is gone leaves by itself.
_known: "weakref.WeakSet[Turns]" = weakref.WeakSet()


class Watchdog:
    """A thread that looks at ``loops`` every so often."""

    def __init__(self, every_s: float, loops: Callable[[], list[Turns]] = lambda: list(_known)) -> None:
        self._every_s = every_s
        self._loops = loops
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends: how long stopping may take is TimeoutStopSec."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def look(self) -> None:
        """Says that all is well if every loop turned since that was last said, and asks for another turn."""
        loops = self._loops()
        silent = sorted(turns.name for turns in loops if not turns.is_fresh)
        if silent:
            LOG.error("watchdog: no turn of %s for %g s", ", ".join(silent), self._every_s)
            return
        notify.send("WATCHDOG=1")
        for turns in loops:
            turns.is_fresh = False
            turns.wake()

    def _work(self) -> None:
        while not self._stopping.wait(self._every_s):
            self.look()


def wanted() -> Watchdog | None:
    """A watchdog, if systemd wants one of this process (sd_watchdog_enabled(3))."""
    patience_us = int(os.environ.get("WATCHDOG_USEC", "0"))
    if not patience_us or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return Watchdog(patience_us / 1_000_000 / _LOOKS)
