"""Servers that boot and go, volumes that come and go, all the time: users who mind no error."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from lab import acts
from tests.faults import verbs
from tests.faults.cloud import AWAY, Cloud

_PAUSE_S = 0.1
#: Of each kind at once.
_MOST = 3


@contextlib.contextmanager
def going(cloud: Cloud, name: str) -> Iterator[None]:
    """All of it has this name, and some of it is left at the end."""
    is_over = threading.Event()
    threads = [threading.Thread(target=work, args=(cloud, name, is_over)) for work in (_servers, _volumes)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def clear(cloud: Cloud, name: str) -> None:
    """All of it goes."""
    for server in cloud.sdk.compute.servers(name=f"^{name}$"):
        verbs.remove(cloud, server.id)
    for volume in cloud.sdk.block_storage.volumes(name=name):
        verbs.remove_volume(cloud, volume.id)


def _servers(cloud: Cloud, name: str, is_over: threading.Event) -> None:
    sdk = acts.cloud()
    wanted = {"image_id": cloud.image, "flavor_id": cloud.flavor, "networks": [{"uuid": cloud.network}]}

    def turn() -> None:
        there = list(sdk.compute.servers(name=f"^{name}$"))
        if len(there) < _MOST:
            sdk.compute.create_server(name=name, **wanted)
        for server in there:
            if server.status in ("ACTIVE", "ERROR"):
                sdk.compute.delete_server(server.id)

    _repeat(turn, is_over)


def _volumes(_cloud: Cloud, name: str, is_over: threading.Event) -> None:
    sdk: Any = acts.cloud()

    def turn() -> None:
        there = list(sdk.block_storage.volumes(name=name))
        if len(there) < _MOST:
            sdk.block_storage.create_volume(name=name, size=1)
        for volume in there:
            if volume.status in ("available", "error"):
                sdk.block_storage.delete_volume(volume.id)

    _repeat(turn, is_over)


def _repeat(turn: Callable[[], None], is_over: threading.Event) -> None:
    while not is_over.wait(_PAUSE_S):
        with contextlib.suppress(*AWAY):
            turn()
