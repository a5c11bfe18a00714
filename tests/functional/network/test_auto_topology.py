"""Topologies that are made for projects."""

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., dict[str, Any]]
ALPHA, BETA = "a" * 32, "b" * 32
URL = f"/v2.0/auto-allocated-topology/{ALPHA}"


@pytest.fixture
def ready(api: Any, make: Make, outside: Any) -> dict[str, Any]:
    """A cloud with a default network outside and default pools."""
    for name, prefix, length in (("four", "10.64.0.0/16", 24), ("six", "fd00:64::/56", 64)):
        shared = {"shared": True, "is_default": True, "default_prefixlen": length}
        make("subnetpool", token="admin@admin", name=name, prefixes=[prefix], **shared)
    body = {"network": {"is_default": True}}
    answer = api.put(f"/v2.0/networks/{outside['id']}", body, token="admin@admin")
    assert answer.json["network"]["is_default"] is True
    found: dict[str, Any] = outside
    return found


def _kind(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["NeutronError"]["type"]


def _shown(api: Any, path: str) -> Any:
    return next(iter(api.get(f"/v2.0/{path}").json.values()))


def test_it_is_made_once_and_taken_away_whole(api: Any, ready: Any) -> None:
    dry = api.get(f"{URL}?fields=dry-run").json["auto_allocated_topology"]
    assert dry == {"id": "dry-run=pass", "project_id": ALPHA, "tenant_id": ALPHA}
    assert _shown(api, "routers") == []
    network_id = api.get(URL).json["auto_allocated_topology"]["id"]
    assert api.get("/v2.0/auto-allocated-topology/None").json["auto_allocated_topology"]["id"] == network_id
    network = _shown(api, f"networks/{network_id}")
    assert network["name"] == "auto_allocated_network" and network["admin_state_up"] is True
    subnets = _shown(api, f"subnets?network_id={network_id}")
    assert sorted(s["cidr"] for s in subnets) == ["10.64.0.0/24", "fd00:64::/64"]
    (router,) = _shown(api, "routers")
    assert router["external_gateway_info"]["network_id"] == ready["id"]
    ports = _shown(api, f"ports?device_id={router['id']}")
    assert {ip["subnet_id"] for p in ports for ip in p["fixed_ips"]} == {s["id"] for s in subnets}
    assert api.delete(URL).status_code == 204 == api.delete(URL).status_code
    assert _shown(api, "routers") == [] and _shown(api, f"subnets?network_id={network_id}") == []
    assert api.get(f"/v2.0/networks/{network_id}").status_code == 404


def test_a_cloud_that_is_not_ready(api: Any, make: Make, outside: Any) -> None:
    failure = (409, "AutoAllocationFailure")
    assert _kind(api.get(URL)) == failure == _kind(api.get(f"{URL}?fields=dry-run"))
    default = {"network": {"is_default": True}}
    assert api.put(f"/v2.0/networks/{outside['id']}", default, token="admin").status_code == 200
    assert _kind(api.get(URL)) == failure
    private = {"name": "p", "prefixes": ["10.0.0.0/8"], "is_default": True, "default_prefixlen": 24}
    make("subnetpool", token="admin@admin", **private)
    assert _kind(api.get(URL)) == failure, "the default pool is not shared"


def test_nothing_is_left_of_one_that_fails(api: Any, ready: Any) -> None:
    api.put(f"/v2.0/quotas/{ALPHA}", {"quota": {"router": 0}}, token="admin")
    assert _kind(api.get(URL)) == (409, "OverQuota")
    assert [n["id"] for n in _shown(api, "networks")] == [ready["id"]]


def test_one_that_is_used_stays(api: Any, make: Make, ready: Any) -> None:
    network_id = api.get(URL).json["auto_allocated_topology"]["id"]
    port = make("port", network_id=network_id)
    assert _kind(api.delete(URL)) == (409, "NetworkInUse")
    assert api.get(URL).json["auto_allocated_topology"]["id"] == network_id
    assert len(_shown(api, "routers")) == 1
    assert api.delete(f"/v2.0/ports/{port['id']}").status_code == 204
    assert api.delete(URL).status_code == 204


def test_one_that_its_owner_took_apart(api: Any, ready: Any) -> None:
    network_id = api.get(URL).json["auto_allocated_topology"]["id"]
    (router,) = _shown(api, "routers")
    for port in _shown(api, f"ports?device_id={router['id']}"):
        url = f"/v2.0/routers/{router['id']}/remove_router_interface"
        assert api.put(url, {"port_id": port["id"]}).status_code == 200
    assert api.delete(f"/v2.0/routers/{router['id']}").status_code == 204
    assert api.delete(URL).status_code == 204
    assert api.get(URL).json["auto_allocated_topology"]["id"] != network_id
    (router,) = _shown(api, "routers")
    assert api.delete(URL).status_code == 204


def test_of_another_project(api: Any, ready: Any) -> None:
    assert _kind(api.get(URL, token="member@beta")) == (403, "NotAuthorized")
    assert api.get(URL, token="admin@beta").json["auto_allocated_topology"]["project_id"] == ALPHA
    assert len(_shown(api, "routers")) == 1
    assert _kind(api.get(f"{URL}?fields=name")) == (400, "BadRequest")


def test_one_default_network(api: Any, make: Make, ready: Any) -> None:
    external = {"token": "admin@admin", "router:external": True}
    other = make("network", **external)
    default = {"network": {"is_default": True}}
    exists = (409, "DefaultExternalNetworkExists")
    assert _kind(api.put(f"/v2.0/networks/{other['id']}", default, token="admin")) == exists
    body = {"network": {"router:external": True, "is_default": True}}
    assert _kind(api.post("/v2.0/networks", body, token="admin")) == exists
    assert make("network", token="admin", is_default=True)["is_default"] is False, "it is not external"
    assert api.post("/v2.0/networks", {"network": {"is_default": True}}).status_code == 403
    found = _shown(api, "networks?is_default=True")
    assert [n["id"] for n in found] == [ready["id"]]
    (policy,) = api.get(f"/v2.0/rbac-policies?object_id={ready['id']}", token="admin").json["rbac_policies"]
    refused = api.delete(f"/v2.0/rbac-policies/{policy['id']}", token="admin")
    assert _kind(refused) == (409, "RbacPolicyInUse")
    inside = {"network": {"router:external": False}}
    shown = api.put(f"/v2.0/networks/{ready['id']}", inside, token="admin").json["network"]
    assert shown["is_default"] is False
    assert api.put(f"/v2.0/networks/{other['id']}", default, token="admin").status_code == 200
