"""Many callers at once: no address, MAC or segment twice, no quota passed (SECURITY.md 24)."""

import threading
from collections import Counter
from typing import Any


def _together(api: Any, number: int, call: Any) -> Counter[int]:
    """``number`` calls begun at one moment; how often each status came."""
    barrier, statuses = threading.Barrier(number), Counter[int]()
    lock = threading.Lock()

    def one(index: int) -> None:
        barrier.wait()
        status = call(index).status_code
        with lock:
            statuses[status] += 1

    threads = [threading.Thread(target=one, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def test_ports_get_different_addresses_within_the_quota(api: Any, net: Any) -> None:
    api.put(f"/v2.0/quotas/{'a' * 32}", {"quota": {"port": 9}}, token="admin")
    body = {"port": {"network_id": net["id"]}}
    assert _together(api, 12, lambda _: api.post("/v2.0/ports", body)) == {201: 9, 409: 3}
    ports = api.get("/v2.0/ports?device_owner=").json["ports"]
    assert len({p["fixed_ips"][0]["ip_address"] for p in ports}) == 9
    assert len({p["mac_address"] for p in ports}) == 9


def test_one_default_group(api: Any) -> None:
    assert _together(api, 8, lambda _: api.get("/v2.0/security-groups")) == {200: 8}
    assert len(api.get("/v2.0/security-groups").json["security_groups"]) == 1


def test_one_of_two_overlapping_subnets(api: Any, make: Any) -> None:
    body = {"subnet": {"network_id": make("network")["id"], "ip_version": 4, "cidr": "10.0.0.0/24"}}
    assert _together(api, 6, lambda _: api.post("/v2.0/subnets", body)) == {201: 1, 400: 5}


def test_a_network_goes_or_gets_a_port(api: Any, make: Any) -> None:
    """Either the port was first and the network stays, or the network is gone and the port is refused."""
    for _ in range(5):
        network = make("network")
        url = f"/v2.0/networks/{network['id']}"

        def call(index: int, network: Any = network, url: str = url) -> Any:
            body = {"port": {"network_id": network["id"]}}
            return api.delete(url) if index else api.post("/v2.0/ports", body)

        assert set(_together(api, 2, call)) in ({201, 409}, {404, 204})


def test_one_of_many_takes_a_vlan(api: Any) -> None:
    vlan = {"provider:network_type": "vlan", "provider:physical_network": "p", "provider:segmentation_id": 5}
    tokens = ("admin@alpha", "admin@beta", "admin@admin")
    found = _together(api, 6, lambda i: api.post("/v2.0/networks", {"network": vlan}, token=tokens[i % 3]))
    assert found == {201: 1, 409: 5}
