"""A client for benches: as little of its own time as can be, and the CPU time of the cloud beside wall time.

On a shared machine wall time says little; what all processes of the cloud computed for a call says more.
"""

import http.client
import json
import os
import pathlib
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

#: Of every process that supervisord runs.
PID_FILES = pathlib.Path("/run/cumulet")
_HEADERS = {"OpenStack-API-Version": "compute 2.90", "Content-Type": "application/json"}


class Cloud:
    """The cloud that the OS_* variables name, over one connection."""

    def __init__(self) -> None:
        self._url = urllib.parse.urlsplit(os.environ["OS_AUTH_URL"])
        self._connection = http.client.HTTPConnection(
            str(self._url.hostname), self._url.port or 80, timeout=60
        )
        self._token = ""
        answer, self._token = self.authenticate(os.environ["OS_USERNAME"], os.environ["OS_PASSWORD"])
        services = answer["token"]["catalog"]
        self.project_id = answer["token"]["project"]["id"]
        self._paths = {s["type"]: urllib.parse.urlsplit(_public(s)).path.rstrip("/") for s in services}

    def call(self, service: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of one request to a service of the catalog."""
        return self._send(method, self._paths[service] + path, body)

    def get(self, service: str, path: str) -> Any:
        """JSON of what must be there."""
        return self.must(service, "GET", path)

    def must(self, service: str, method: str, path: str, body: Any = None) -> Any:
        """JSON of a request that must not be refused."""
        status, answer = self.call(service, method, path, body)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def named(self, service: str, path: str, plural: str, name: str) -> str:
        """The id of something by its name."""
        return next(str(row["id"]) for row in self.get(service, path)[plural] if row["name"] == name)

    def authenticate(self, name: str, password: str) -> tuple[Any, str]:
        """A token for the project, by password: the answer, and the token."""
        env = os.environ
        domain = {"id": env.get("OS_USER_DOMAIN_ID", "default")}
        user = {"name": name, "password": password, "domain": domain}
        project = {"name": env["OS_PROJECT_NAME"], "domain": domain}
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity, "scope": {"project": project}}}
        status, answer = self._send("POST", f"{self._url.path}/auth/tokens", body)
        if status != 201:
            raise RuntimeError(f"no token: {status} {answer}")
        return answer, self._subject_token

    def _send(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        headers = {**_HEADERS, "X-Auth-Token": self._token}
        content = json.dumps(body) if body is not None else None
        try:
            self._connection.request(method, path, content, headers)
            answer = self._connection.getresponse()
        except ConnectionError:
            # it rested for so long that the server closed it; the next request opens another
            self._connection.close()
            self._connection.request(method, path, content, headers)
            answer = self._connection.getresponse()
        text = answer.read()
        self._subject_token = answer.getheader("X-Subject-Token", "")
        return answer.status, json.loads(text) if text else None


def wait(is_so: Callable[[], Any], timeout_s: float = 60.0, every_s: float = 0.02) -> None:
    """Asks until it is so; not too often, since the answers cost the machine something too."""
    end = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(every_s)


def timed(act: Callable[[], Any]) -> float:
    """Seconds that something takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


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


def _is_below(pid: int, roots: set[int], parents: dict[int, int]) -> bool:
    while pid and pid not in roots:
        pid = parents.get(pid, 0)
    return pid != 0


def _public(service: Any) -> str:
    return next(str(e["url"]) for e in service["endpoints"] if e["interface"] == "public")
