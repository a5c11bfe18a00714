"""Notices that tgtd, which remembers nothing, was started anew.

It makes its socket anew at every start, of which inotify tells; nothing is polled while it runs. No connection
is held open to see it end: tgtd 1.0 spins on one that its client leaves without having asked anything (one
that was killed, say), and takes a whole core until it is restarted itself.
"""

import ctypes
import logging
import os
import pathlib
import select
import threading
from collections.abc import Callable

from volume_agent.host import tgtadm

LOG = logging.getLogger(__name__)

_IN_CREATE, _IN_MOVED_TO, _IN_CLOEXEC = 0x100, 0x80, 0o2000000
#: Between the making of the socket and tgtd's listening on it.
_SETTLE_S, _SETTLE_TRIES = 0.05, 100


class TgtWatch:
    """A thread that calls ``on_start`` each time tgtd begins to answer after it did not."""

    def __init__(self, tgt: tgtadm.Tgtadm, path: pathlib.Path, on_start: Callable[[], None]) -> None:
        self._tgt = tgt
        self._path = path
        self._on_start = on_start
        self._stop_read, self._stop_write = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._watch, name="tgtd-watch", daemon=True)

    def start(self) -> None:
        """Begins to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        os.write(self._stop_write, b"x")
        self._thread.join(timeout=5)

    def _watch(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        events = _watched(self._path.parent)
        while self._wait_for_answer(events):
            self._on_start()
            if not self._wait(events, None):
                break
            LOG.warning("tgtd was started anew: volumes are exported again")
        os.close(events)

    def _wait_for_answer(self, events: int) -> bool:
        """Waits until tgtd answers; False when the watch is to stop."""
        tries = _SETTLE_TRIES
        while not self._is_answering():
            tries -= 1
            if not self._wait(events, _SETTLE_S if tries > 0 else None):
                return False
            if tries <= 0:
                tries = _SETTLE_TRIES
        return True

    def _is_answering(self) -> bool:
        """Asks for something small; a connection without a question would be the end of tgtd's rest."""
        try:
            self._tgt.accounts()
        except tgtadm.TgtError:
            return False
        return True

    def _wait(self, events: int, timeout_s: float | None) -> bool:
        """Until tgtd's socket is made anew, or the time is over; False when the watch is to stop."""
        while True:
            readable, _, _ = select.select([events, self._stop_read], [], [], timeout_s)
            if self._stop_read in readable:
                return False
            if not readable or os.fsencode(self._path.name) + b"\0" in os.read(events, 65536):
                return True


def _watched(directory: pathlib.Path) -> int:
    """An inotify descriptor that tells of new names in ``directory``."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.inotify_init1(_IN_CLOEXEC)
    wanted = _IN_CREATE | _IN_MOVED_TO
    if descriptor < 0 or libc.inotify_add_watch(descriptor, os.fsencode(directory), wanted) < 0:
        raise OSError(ctypes.get_errno(), f"inotify on {directory}")
    return descriptor
