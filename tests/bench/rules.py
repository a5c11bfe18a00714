"""100 rules added to a security group with 100 ports on the host: the call, and until the switch has them all."""

import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from tests.bench.cloud import Cloud, wait
from tests.bench.result import Result, median

_PORTS = _RULES = 100
_TIMES = 5
_API_MS, _ENFORCED_S = 100.0, 1.0
_BENCH = pathlib.Path(__file__).parents[1] / "system/ovs_agent/bench_rules.py"
#: Where br-int has the rules of groups for what comes in.
_FLOWS = ("ovs-ofctl", "-O", "OpenFlow14", "--no-names", "dump-flows", "br-int", "table=56")


def measure(cloud: Cloud) -> Iterator[Result]:
    """Through the cloud, with ports that are bound to the host; then the agent alone, with ports that are plugged."""
    calls, enforced = [], []
    with _room(cloud), _group(cloud) as group_id:
        for round_ in range(_TIMES):
            call, until = _added(cloud, group_id, 10_000 + round_ * _RULES)
            calls.append(call * 1000)
            enforced.append(until)
    what = f"{_RULES} rules added to a group of {_PORTS} ports"
    yield median(f"{what}, the call", calls, "ms", _API_MS)
    yield median(f"{what} → all in the switch", enforced, "s", _ENFORCED_S)
    told = subprocess.run([sys.executable, str(_BENCH)], capture_output=True, text=True, check=True).stdout
    yield Result(**json.loads(told))


def _added(cloud: Cloud, group_id: str, first: int) -> tuple[float, float]:
    """Seconds until the answer, and until the flows are there."""
    rule = {"security_group_id": group_id, "direction": "ingress", "protocol": "tcp"}
    wanted = [{**rule, "port_range_min": n, "port_range_max": n} for n in range(first, first + _RULES)]
    before, began = _count(), time.perf_counter()
    cloud.must("network", "POST", "/v2.0/security-group-rules", {"security_group_rules": wanted})
    answered = time.perf_counter() - began
    wait(lambda: _count() >= before + _RULES)
    return answered, time.perf_counter() - began


def _count() -> int:
    return subprocess.run(_FLOWS, capture_output=True, text=True, check=True).stdout.count("tp_dst=")


@contextlib.contextmanager
def _room(cloud: Cloud) -> Iterator[None]:
    """The project's limits out of the way, and back as they were."""
    url, names = f"/v2.0/quotas/{cloud.project_id}", ("port", "security_group_rule")
    before = cloud.get("network", url)["quota"]
    cloud.must("network", "PUT", url, {"quota": dict.fromkeys(names, -1)})
    try:
        yield
    finally:
        cloud.must("network", "PUT", url, {"quota": {name: before[name] for name in names}})


@contextlib.contextmanager
def _group(cloud: Cloud) -> Iterator[str]:
    """A group with its ports."""
    group = {"security_group": {"name": "bench"}}
    group_id = str(cloud.must("network", "POST", "/v2.0/security-groups", group)["security_group"]["id"])
    network_id = cloud.named("network", "/v2.0/networks", "networks", "demo")
    port = {"network_id": network_id, "security_groups": [group_id], "binding:host_id": socket.gethostname()}
    made = cloud.must("network", "POST", "/v2.0/ports", {"ports": [port] * _PORTS})["ports"]
    try:
        yield group_id
    finally:
        for one in made:
            cloud.call("network", "DELETE", f"/v2.0/ports/{one['id']}")
        cloud.call("network", "DELETE", f"/v2.0/security-groups/{group_id}")
