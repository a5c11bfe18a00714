"""Ten servers at once, beside ten plain domains made two at a time, whose guests run on."""

import concurrent.futures
import time
from collections.abc import Iterator

from tests.bench import plain, servers
from tests.bench.boot import RATIO
from tests.bench.cloud import Cloud, timed, wait
from tests.bench.result import Result, median

COUNT = 10
_TIMES = 2


def measure(_cloud: Cloud) -> Iterator[Result]:
    """Each client has a connection of its own."""
    clouds = [Cloud() for _ in range(COUNT)]
    body = servers.request(clouds[0])
    accepted, actives, plains = [], [], []
    servers.delete_all(clouds[0])
    for _ in range(_TIMES):
        try:
            began = time.perf_counter()
            with concurrent.futures.ThreadPoolExecutor(COUNT) as pool:
                ids = list(pool.map(lambda c: servers.boot(c, body), clouds))
                accepted.append(time.perf_counter() - began)
                wait(lambda i=set(ids): i <= _active(clouds[0]), 120, 0.05)  # type: ignore[misc]
                actives.append(time.perf_counter() - began)
                list(pool.map(servers.delete, clouds[1:], ids[1:]))
            plains.append(_plain(ids[0]))
        finally:
            servers.delete_all(clouds[0])
    bar = RATIO * sorted(plains)[len(plains) // 2]
    yield median(f"{COUNT} at once: all accepted", accepted, "s")
    yield median(f"{COUNT} times virsh create, two at a time", plains, "s")
    yield median(f"{COUNT} at once: last ACTIVE", actives, "s", bar, f"bar: {RATIO} times those")


def _active(cloud: Cloud) -> set[str]:
    """One list for all: ten clients that ask twenty times a second would take a core."""
    found = cloud.get("compute", "/servers/detail")["servers"]
    if any(server["status"] == "ERROR" for server in found):
        raise RuntimeError(f"a server is in ERROR: {found}")
    return {server["id"] for server in found if server["status"] == "ACTIVE"}


def _plain(server_id: str) -> float:
    with plain.twins(server_id, COUNT) as twins, concurrent.futures.ThreadPoolExecutor(2) as pool:
        return timed(lambda: list(pool.map(lambda twin: twin.create(), twins)))
