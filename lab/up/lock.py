"""One ``make up`` or ``make down`` on a machine at a time, and one at work in a checkout's environment.

The locks go with the process that holds them, and leave no file.
"""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator

from lab.up import places
from lab.up.step import StepError

#: In the namespace of abstract sockets: it belongs to the network namespace, as the cloud does.
_NAME = "\0cumulet-up"


@contextlib.contextmanager
def machine(command: str) -> Iterator[None]:
    """Refuses what would undo the work of another command. Raises StepError."""
    if command not in ("up", "down"):
        yield
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as lock:
        try:
            lock.bind(_NAME)
        except OSError:
            raise StepError(
                "another 'make up' or 'make down' runs on this machine",
                "wait for its end, or end it by ^C, then run this again",
            ) from None
        yield


@contextlib.contextmanager
def checkout() -> Iterator[None]:
    """Waits for others that write into this checkout: they may be on machines of their own, as tests are."""
    directory = os.open(places.CHECKOUT, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)
