"""Network namespaces: made by iproute2, entered by threads.

pyroute2's own ``netns.create`` forks, and without a fork it binds the main thread's namespace.
"""

import contextlib
import os
import pathlib
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from pyroute2 import netns
from pyroute2.netlink.exceptions import NetlinkError

DIRECTORY = pathlib.Path("/run/netns")
_TIMEOUT_S = 30

Result = TypeVar("Result")


class NamespaceError(Exception):
    """A namespace could not be made, entered or removed."""


def exists(name: str) -> bool:
    """Whether there is a namespace of this name that can be entered."""
    return (DIRECTORY / name).exists()


def names() -> list[str]:
    """All named namespaces."""
    return sorted(path.name for path in DIRECTORY.iterdir()) if DIRECTORY.is_dir() else []


@contextlib.contextmanager
def opened(name: str) -> Iterator[int]:
    """A handle of a namespace, for a while. Raises NamespaceError."""
    try:
        handle = os.open(DIRECTORY / name, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise NamespaceError(f"namespace {name}: {error}") from error
    try:
        yield handle
    finally:
        os.close(handle)


def create(name: str) -> None:
    """Makes it; safe to repeat."""
    if not exists(name):
        _ip("add", name)


def remove(name: str) -> None:
    """Removes it with all links in it; safe to repeat."""
    if exists(name):
        _ip("delete", name)


def inside(name: str, work: Callable[[], Result]) -> Result:
    """Runs ``work`` on a thread of its own within the namespace; sockets made there stay there.

    A child process started by ``work`` lives there too. What the kernel refuses is a NamespaceError.
    """
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            # by a handle: by a name it would list all namespaces first
            with opened(name) as handle:
                netns.setns(handle, flags=0, fork=False)
            outcome.append(work())
        except NetlinkError as error:
            failure.append(NamespaceError(f"namespace {name}: {error}"))
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, name=f"in-{name}", daemon=True)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def _ip(verb: str, name: str) -> None:
    done = subprocess.run(
        ["ip", "netns", verb, name], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    if done.returncode != 0:
        raise NamespaceError(f"ip netns {verb} {name}: {done.stderr.strip()}")
