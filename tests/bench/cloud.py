"""A client for benches: as little of its own time as can be, and the CPU time of the cloud beside wall time.

On a shared machine wall time says little; what all processes of the cloud computed for a call says more.
"""

import http.client
import json
import os
import pathlib
import statistics
import time
import urllib.parse
from collections.abc import Callable, Sequence
from typing import Any

#: Of every process that supervisord runs.
PID_FILES = pathlib.Path("/run/cumulet")
_HEADERS = {"OpenStack-API-Version": "compute 2.90", "Content-Type": "application/json"}


class Cloud:
    """The cloud that the OS_* variables name, over one connection."""

    def __init__(self) -> None:
        url = urllib.parse.urlsplit(os.environ["OS_AUTH_URL"])
        self._connection = http.client.HTTPConnection(str(url.hostname), url.port or 80, timeout=60)
        self._token = ""
        answer, self._token = self._authenticate(url.path)
        services = answer["token"]["catalog"]
        self._paths = {s["type"]: urllib.parse.urlsplit(_public(s)).path.rstrip("/") for s in services}

    def call(self, service: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of one request to a service of the catalog."""
        return self._send(method, self._paths[service] + path, body)

    def get(self, service: str, path: str) -> Any:
        """JSON of what must be there."""
        status, answer = self.call(service, "GET", path)
        if status != 200:
            raise RuntimeError(f"GET {path}: {status} {answer}")
        return answer

    def named(self, service: str, path: str, plural: str, name: str) -> str:
        """The id of something by its name."""
        return next(str(row["id"]) for row in self.get(service, path)[plural] if row["name"] == name)

    def _send(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        headers = {**_HEADERS, "X-Auth-Token": self._token}
        self._connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        self.subject_token = answer.getheader("X-Subject-Token", "")
        return answer.status, json.loads(text) if text else None

    def _authenticate(self, path: str) -> tuple[Any, str]:
        env = os.environ
        domain = {"id": env.get("OS_USER_DOMAIN_ID", "default")}
        user = {"name": env["OS_USERNAME"], "password": env["OS_PASSWORD"], "domain": domain}
        project = {"name": env["OS_PROJECT_NAME"], "domain": domain}
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity, "scope": {"project": project}}}
        status, answer = self._send("POST", f"{path}/auth/tokens", body)
        if status != 201:
            raise RuntimeError(f"no token: {status} {answer}")
        return answer, self.subject_token


def wait(is_so: Callable[[], Any], timeout_s: float = 60.0) -> None:
    """Asks until it is so; not too often, since the answers cost the machine something too."""
    end = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.03)


def cpu_s() -> float:
    """What the processes of this cloud, MariaDB and RabbitMQ among them, computed so far; ended children too."""
    parents, used = {}, {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
        used[int(path.parent.name)] = sum(int(ticks) for ticks in fields[11:15])
    roots = {int(file.read_text()) for file in PID_FILES.glob("*.pid")}
    ours = {pid for pid in used if _is_below(pid, roots, parents)}
    return sum(used[pid] for pid in ours) / os.sysconf("SC_CLK_TCK")


def told(name: str, seconds: Sequence[float]) -> None:
    """One line of the result."""
    figures = f"median {statistics.median(seconds):.3f}  least {min(seconds):.3f}  most {max(seconds):.3f}"
    print(f"{name:<44} {figures}  n {len(seconds)}", flush=True)


def _is_below(pid: int, roots: set[int], parents: dict[int, int]) -> bool:
    while pid and pid not in roots:
        pid = parents.get(pid, 0)
    return pid != 0


def _public(service: Any) -> str:
    return next(str(e["url"]) for e in service["endpoints"] if e["interface"] == "public")
