"""A list of 100 servers with their ports, made by the API: a host that could take them does not exist, so that
each ends in ERROR, with a fault to be shown beside everything else."""

from collections.abc import Iterator
from typing import Any

from tests.bench.cloud import Cloud, cpu_s, wait
from tests.bench.lists import costs
from tests.bench.result import Result

COUNT = 100
_BAR_MS = 15.0
#: No host has as much memory.
_FLAVOR = {"name": "bench-too-big", "ram": 1 << 30, "vcpus": 1, "disk": 0}
_NO_LIMIT = {"instances": -1, "cores": -1, "ram": -1}


def measure(cloud: Cloud) -> Iterator[Result]:
    """The list, and what it costs to write so many and to find no host for them."""
    quotas = f"/os-quota-sets/{cloud.project_id}"
    flavor_id = cloud.must("compute", "POST", "/flavors", {"flavor": _FLAVOR})["flavor"]["id"]
    cloud.must("compute", "PUT", quotas, {"quota_set": _NO_LIMIT})
    try:
        before = cpu_s()
        _boot(cloud, flavor_id)
        wait(lambda: _states(cloud) == {"ERROR"}, 120, 0.5)
        each = (cpu_s() - before) * 1e3 / COUNT
        yield Result(f"{COUNT} servers in one POST, no host for them, each", each, "ms CPU")
        detail = "/servers/detail?name=bench-row"
        if len(cloud.get("compute", detail)["servers"]) < COUNT:
            raise RuntimeError("the list does not have all servers")
        yield costs(f"GET servers/detail, {COUNT} rows", lambda: cloud.get("compute", detail), _BAR_MS)
    finally:
        for server in _rows(cloud):
            cloud.must("compute", "DELETE", f"/servers/{server['id']}")
        wait(lambda: not _rows(cloud), 120, 0.5)
        cloud.must("compute", "DELETE", quotas)
        cloud.must("compute", "DELETE", f"/flavors/{flavor_id}")


def _boot(cloud: Cloud, flavor_id: str) -> None:
    server = {
        "name": "bench-row",
        "imageRef": cloud.named("image", "/v2/images", "images", "cumulet-guest"),
        "flavorRef": flavor_id,
        "networks": [{"uuid": cloud.named("network", "/v2.0/networks", "networks", "demo")}],
        "min_count": COUNT,
    }
    cloud.must("compute", "POST", "/servers", {"server": server})


def _rows(cloud: Cloud) -> list[Any]:
    return list(cloud.get("compute", "/servers?name=bench-row")["servers"])


def _states(cloud: Cloud) -> set[str]:
    return {s["status"] for s in cloud.get("compute", "/servers/detail?name=bench-row")["servers"]}
