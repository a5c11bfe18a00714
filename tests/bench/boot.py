"""POST /servers → ACTIVE beside what plain libvirt takes for the same domain in the same run, and DELETE → 404."""

import re
import time
from collections.abc import Iterator

from lab.up import places, profile
from tests.bench import plain, servers
from tests.bench.cloud import Cloud, cpu_s, timed
from tests.bench.result import Result, median

_WIRED = re.compile(r"has its flows at \d+, (\d+) ms after its tap")
_TIMES = 7
#: Of what ``virsh create`` takes, and on top of that, in seconds.
RATIO, MORE_S = 1.5, 0.15
_POST_BAR_MS, _DELETE_BAR_S = 20.0, 0.4


def measure(cloud: Cloud) -> Iterator[Result]:
    """One at a time; the first, which finds everything cold, is not counted."""
    body = servers.request(cloud)
    posts, actives, bars, plains, deletes, cpus = [], [], [], [], [], []
    # one program of the full profile, or the only one of the embedded one
    log_file = next(places.log_file(p) for p in ("ovs-agent", *profile.programs()) if p in profile.programs())
    log_before = log_file.stat().st_size
    for turn in range(_TIMES + 1):
        before, began = cpu_s(), time.perf_counter()
        server_id = servers.boot(cloud, body)
        post = time.perf_counter() - began
        servers.until_active(cloud, server_id)
        active, cpu = time.perf_counter() - began, cpu_s() - before
        with plain.twins(server_id, 1) as (twin,):
            create = twin.create()
        delete = timed(lambda i=server_id: servers.delete(cloud, i))  # type: ignore[misc]
        if turn:
            posts.append(post * 1e3)
            actives.append(active)
            plains.append(create)
            bars.append(RATIO * create + MORE_S)
            cpus.append(cpu)
            deletes.append(delete)
    yield median("POST /servers", posts, "ms", _POST_BAR_MS)
    yield median("virsh create of the same domain", plains, "s")
    bar = sorted(bars)[len(bars) // 2]
    yield median("POST → ACTIVE", actives, "s", bar, f"bar: {RATIO} times virsh create + {MORE_S} s")
    yield median("  CPU of the cloud meanwhile, polls included", cpus, "s")
    yield median("DELETE → 404", deletes, "s", _DELETE_BAR_S)
    with log_file.open("rb") as log:
        log.seek(log_before)
        taken = [float(ms) for ms in _WIRED.findall(log.read().decode())]
    yield median("tap → flows, as servers boot", taken or [0.0], "ms", 50.0)
