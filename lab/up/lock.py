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
_REMEDY = "wait for its end, or end it by ^C, then run this again"


@contextlib.contextmanager
def hold(command: str) -> Iterator[None]:
    """Holds the locks that a command needs. Raises StepError."""
    with contextlib.ExitStack() as held:
        if command in ("up", "down"):
            held.enter_context(_machine())
        if command in ("up", "prepare"):
            held.callback(os.close, _checkout())
        yield


def _machine() -> socket.socket:
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        lock.bind(_NAME)
    except OSError:
        lock.close()
        raise StepError("another 'make up' or 'make down' runs on this machine", _REMEDY) from None
    return lock


def _checkout() -> int:
    directory = os.open(places.CHECKOUT, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(directory)
        raise StepError(f"another command is at work in {places.CHECKOUT}", _REMEDY) from None
    return directory
