"""What the programs that act as users share: the cloud by openstacksdk, and telling what is done.

Nothing here knows the controller: the SDK is the unmodified one, and each act names the ``openstack`` command
that does the same.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import openstack
import openstack.config

from lab.up import places


class ActError(Exception):
    """Something did not come about in time; the message says what, and where to look."""


def cloud() -> Any:
    """The administrator's connection."""
    config = openstack.config.OpenStackConfig(config_files=[str(places.CLOUDS)])
    return openstack.connection.Connection(config=config.get_one("cumulet"))


@contextmanager
def act(text: str, *commands: str) -> Iterator[None]:
    """Tells what is done, by which commands a user does it, and how long it took."""
    started = time.monotonic()
    yield
    print(f"{time.monotonic() - started:5.1f} s  {text}", flush=True)
    for command in commands:
        print(f"         $ {command}", flush=True)


def wait_for(what: str, look: Callable[[], Any], timeout_s: float, interval_s: float = 0.3) -> Any:
    """What ``look`` finds as soon as it finds anything. Raises ActError."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        if time.monotonic() > deadline:
            raise ActError(f"{what}: not within {timeout_s:.0f} s; the logs are in {places.LOG}")
        time.sleep(interval_s)
    return found


def run(main: Callable[[], None]) -> None:
    """Runs a program, and ends it with one clear line when it fails."""
    try:
        main()
    except (ActError, openstack.exceptions.SDKException, OSError) as error:
        sys.exit(f"error: {error}")
