"""What lists and tokens cost: CPU of the whole cloud, MariaDB and broker included, for each request."""

import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bcrypt

from tests.bench.cloud import Cloud, cpu_s, timed
from tests.bench.result import Result

LISTS = {
    "servers/detail": ("compute", "/servers/detail"),
    "flavors/detail": ("compute", "/flavors/detail"),
    "networks": ("network", "/v2.0/networks"),
    "subnets": ("network", "/v2.0/subnets"),
    "ports": ("network", "/v2.0/ports"),
    "security-groups": ("network", "/v2.0/security-groups"),
    "images": ("image", "/v2/images"),
    "volumes/detail": ("volumev3", "/volumes/detail"),
}
_ROUNDS, _REQUESTS = 5, 60
_BAR_MS, _AGAIN_BAR_MS = 3.0, 4.0
#: As many as the cloud does when it is not told otherwise.
_BCRYPT_ROUNDS = 12
#: Who get their first token: CPU is told in steps of 10 ms.
_USERS = 10


def measure(cloud: Cloud) -> Iterator[Result]:
    """The lists, then tokens."""
    for name, (service, path) in LISTS.items():
        yield costs(f"GET {name}", lambda s=service, p=path: cloud.get(s, p), _BAR_MS)  # type: ignore[misc]
    with _users(cloud) as users:
        before = cpu_s()
        for name in users:
            cloud.authenticate(name, name)
        first = (cpu_s() - before) * 1e3 / len(users)
        plain = _bcrypt_s() * 1e3
        note = f"bcrypt alone {plain:.1f}, n {len(users)}"
        yield Result("token by password, first time", first, "ms CPU", plain + _BAR_MS, note)
        again = users[0]
        yield costs("token by password, again", lambda: cloud.authenticate(again, again), _AGAIN_BAR_MS)


def costs(what: str, request: Callable[[], Any], bar_ms: float) -> Result:
    """CPU of one request: the best of some rounds, as others may use the machine; and its wall time."""
    request()
    best = min(_round(request) for _ in range(_ROUNDS)) * 1e3
    wall = statistics.median(timed(request) for _ in range(_REQUESTS)) * 1e3
    return Result(what, best, "ms CPU", bar_ms, f"{wall:.1f} ms wall")


def _round(request: Callable[[], Any]) -> float:
    before = cpu_s()
    for _ in range(_REQUESTS):
        request()
    return (cpu_s() - before) / _REQUESTS


def _bcrypt_s() -> float:
    salt = bcrypt.gensalt(_BCRYPT_ROUNDS)
    before = time.process_time()
    for _ in range(_USERS):
        bcrypt.hashpw(b"x" * 32, salt)
    return (time.process_time() - before) / _USERS


@contextmanager
def _users(cloud: Cloud) -> Iterator[list[str]]:
    """Members of the project whose passwords, the same as their names, were never given before."""
    role_id = cloud.named("identity", "/v3/roles", "roles", "member")
    ids, names = [], [f"bench-{uuid.uuid4().hex}" for _ in range(_USERS)]
    try:
        for name in names:
            body = {"user": {"name": name, "password": name}}
            ids.append(str(cloud.must("identity", "POST", "/v3/users", body)["user"]["id"]))
            path = f"/v3/projects/{cloud.project_id}/users/{ids[-1]}/roles/{role_id}"
            cloud.must("identity", "PUT", path)
        yield names
    finally:
        for user_id in ids:
            cloud.must("identity", "DELETE", f"/v3/users/{user_id}")
