"""Tells when a process that is no child of ours ends, by pidfd, without asking again and again."""

import logging
import os
import selectors
import threading
from collections.abc import Callable

LOG = logging.getLogger(__name__)


class Processes:
    """One thread that waits for the end of any number of processes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, int] = {}
        self._wake_reader, self._wake_writer = os.pipe()
        self._selector.register(self._wake_reader, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._wait, name="processes", daemon=True)
        self._is_stopping = False
        self._thread.start()

    def watch(self, pid: int, ended: Callable[[], None]) -> bool:
        """Calls ``ended`` once when ``pid`` ends; False if it is gone already. Repeating does nothing."""
        with self._lock:
            if pid in self._watched:
                return True
            try:
                handle = os.pidfd_open(pid)
            except ProcessLookupError:
                return False
            self._watched[pid] = handle
            self._selector.register(handle, selectors.EVENT_READ, (pid, ended))
        os.write(self._wake_writer, b".")
        return True

    def stop(self) -> None:
        """Ends the thread."""
        self._is_stopping = True
        os.write(self._wake_writer, b".")
        self._thread.join(timeout=5)

    def _wait(self) -> None:
        while not self._is_stopping:
            for key, _ in self._selector.select():
                if key.data is None:
                    os.read(self._wake_reader, 512)
                    continue
                pid, ended = key.data
                with self._lock:
                    self._selector.unregister(key.fd)
                    os.close(self._watched.pop(pid))
                try:
                    ended()
                except Exception:
                    LOG.exception("after the end of process %d", pid)
