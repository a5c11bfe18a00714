"""All our processes launched → the first list of servers with a new token; the database and the broker run."""

import contextlib
import http.client
import time
from collections.abc import Iterator

from lab.up import profile, supervisor
from tests.bench.cloud import Cloud, cpu_s, wait
from tests.bench.result import Result, median

_TIMES = 3
_BARS_S = {profile.FULL: 4.0, profile.EMBEDDED: 3.0}


def measure(_cloud: Cloud) -> Iterator[Result]:
    """Stops and starts the cloud of this machine; its guests run on."""
    seconds, cpus = [], []
    for _ in range(_TIMES):
        supervisor.stop_programs(profile.programs())
        before, began = cpu_s(), time.perf_counter()
        supervisor.start_programs(profile.programs())
        wait(_is_listed, 60)
        seconds.append(time.perf_counter() - began)
        cpus.append(cpu_s() - before)
    yield median("all launched → first server list", seconds, "s", _BARS_S[profile.current()])
    yield median("  CPU of the cloud until then", cpus, "s")


def _is_listed() -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException, RuntimeError):
        Cloud().get("compute", "/servers")
        return True
    return False
