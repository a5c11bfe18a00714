"""Servers for benches: booted, awaited, deleted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.bench.cloud import Cloud, wait


def request(cloud: Cloud) -> dict[str, Any]:
    """The body of a POST that boots the test image with one NIC on the network of the demo."""
    server = {
        "name": "bench",
        "imageRef": cloud.named("image", "/v2/images", "images", "cumulet-guest"),
        "flavorRef": cloud.named("compute", "/flavors", "flavors", "m1.tiny"),
        "networks": [{"uuid": cloud.named("network", "/v2.0/networks", "networks", "demo")}],
    }
    return {"server": server}


def boot(cloud: Cloud, body: dict[str, Any]) -> str:
    """The id of a new server, as soon as it is accepted."""
    return str(cloud.must("compute", "POST", "/servers", body)["server"]["id"])


def until_active(cloud: Cloud, server_id: str) -> None:
    """Raises RuntimeError when it ends in ERROR."""
    wait(lambda: _is_active(cloud, server_id))


def delete(cloud: Cloud, server_id: str) -> None:
    """Deletes it, and waits until it is gone."""
    cloud.must("compute", "DELETE", f"/servers/{server_id}")
    wait(lambda: cloud.call("compute", "GET", f"/servers/{server_id}")[0] == 404)


def delete_all(cloud: Cloud) -> None:
    """Deletes all of a bench, all that an earlier one left too, and waits until they are gone."""

    def left() -> list[Any]:
        return list(cloud.get("compute", "/servers?name=bench")["servers"])

    for server in left():
        cloud.call("compute", "DELETE", f"/servers/{server['id']}")
    wait(lambda: not left(), 120, 0.1)


@contextmanager
def running(cloud: Cloud) -> Iterator[str]:
    """A server whose guest is up, so that it answers when a device is to be let go; its id."""
    server_id = boot(cloud, request(cloud))
    try:
        until_active(cloud, server_id)
        wait(lambda: "login:" in _console(cloud, server_id), 120, 0.5)
        yield server_id
    finally:
        delete(cloud, server_id)


def _is_active(cloud: Cloud, server_id: str) -> bool:
    server = cloud.get("compute", f"/servers/{server_id}")["server"]
    if server["status"] == "ERROR":
        raise RuntimeError(server.get("fault"))
    return bool(server["status"] == "ACTIVE")


def _console(cloud: Cloud, server_id: str) -> str:
    path = f"/servers/{server_id}/action"
    return str(cloud.must("compute", "POST", path, {"os-getConsoleOutput": {}})["output"])
