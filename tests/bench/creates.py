"""What the small things of a network take to create, one after the other."""

from collections.abc import Iterator
from typing import Any

from tests.bench.cloud import Cloud, timed
from tests.bench.result import Result, median

_TIMES = 20
_BAR_MS = 15.0


def measure(cloud: Cloud) -> Iterator[Result]:
    """A network, subnet, port, group and rule, made and removed a number of times."""
    taken: dict[str, list[float]] = {}
    for turn in range(_TIMES):
        network_id = _create(cloud, taken, "network", name=f"bench-{turn}")
        cidr = f"10.99.{turn}.0/24"
        _create(cloud, taken, "subnet", network_id=network_id, ip_version=4, cidr=cidr, enable_dhcp=False)
        port_id = _create(cloud, taken, "port", network_id=network_id)
        group_id = _create(cloud, taken, "security_group", name=f"bench-{turn}")
        rule = {"direction": "ingress", "protocol": "tcp", "port_range_min": 22, "port_range_max": 22}
        _create(cloud, taken, "security_group_rule", security_group_id=group_id, **rule)
        for path in (f"ports/{port_id}", f"networks/{network_id}", f"security-groups/{group_id}"):
            cloud.must("network", "DELETE", f"/v2.0/{path}")
    for kind, values in taken.items():
        yield median(f"{kind.replace('_', ' ')} created", values, "ms", _BAR_MS)


def _create(cloud: Cloud, taken: dict[str, list[float]], kind: str, **given: Any) -> str:
    made: list[Any] = []
    path = f"/v2.0/{kind.replace('_', '-')}s"
    seconds = timed(lambda: made.append(cloud.must("network", "POST", path, {kind: given})))
    taken.setdefault(kind, []).append(seconds * 1e3)
    return str(made[0][kind]["id"])
