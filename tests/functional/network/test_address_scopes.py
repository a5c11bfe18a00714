"""Address scopes through the API, and what routers are told of them."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.document import Key
from contract.kinds import decode
from tests.fakes.fake_cloud import FakeCloud
from tests.fakes.fake_host import FakeHost

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def scope(make: Make) -> dict[str, Any]:
    return make("address_scope", name="scope", ip_version=4)


def _pool(make: Make, prefix: str, **values: Any) -> dict[str, Any]:
    return make("subnetpool", name=prefix, prefixes=[prefix], default_prefixlen=24, **values)


def _network(make: Make, pool: dict[str, Any], **values: Any) -> dict[str, Any]:
    network = make("network", **values)
    subnet = make("subnet", network_id=network["id"], ip_version=4, subnetpool_id=pool["id"])
    return {**network, "subnet": subnet["id"]}


def _put(api: Any, path: str, **values: Any) -> Any:
    singular = path.partition("/")[0].replace("-", "_").removesuffix("s")
    return api.put(f"/v2.0/{path}", {singular: values})


def _kind(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["NeutronError"]["type"]


def test_a_scope_is_made_shown_changed_and_deleted(api: Any, make: Make, scope: Any) -> None:
    assert set(scope) == {"id", "name", "ip_version", "shared", "project_id", "tenant_id"}
    url = f"address-scopes/{scope['id']}"
    assert _put(api, url, name="other").json["address_scope"]["name"] == "other"
    assert _put(api, url, ip_version=6).status_code == 400
    assert api.post("/v2.0/address-scopes", {"address_scope": {"ip_version": 5}}).status_code == 400
    assert [s["id"] for s in api.get("/v2.0/address-scopes?ip_version=4").json["address_scopes"]] == [
        scope["id"]
    ]
    pool = _pool(make, "10.0.0.0/16", address_scope_id=scope["id"])
    assert _kind(api.delete(f"/v2.0/{url}")) == (409, "AddressScopeInUse")
    assert api.delete(f"/v2.0/subnetpools/{pool['id']}").status_code == 204
    assert api.delete(f"/v2.0/{url}").status_code == 204
    assert _kind(api.get(f"/v2.0/{url}")) == (404, "AddressScopeNotFound")


def test_a_shared_scope_stays_shared(api: Any, make: Make, scope: Any) -> None:
    url = f"address-scopes/{scope['id']}"
    assert api.get(f"/v2.0/{url}", token="member@beta").status_code == 404
    assert _put(api, url, shared=True).status_code == 403
    body = {"address_scope": {"shared": True}}
    assert api.put(f"/v2.0/{url}", body, token="admin").json["address_scope"]["shared"] is True
    assert api.get(f"/v2.0/{url}", token="member@beta").json["address_scope"]["shared"] is True
    body = {"address_scope": {"shared": False}}
    assert _kind(api.put(f"/v2.0/{url}", body, token="admin")) == (400, "AddressScopeUpdateError")
    assert api.put(f"/v2.0/{url}", {"address_scope": {"name": "x"}}, token="member@beta").status_code == 403
    theirs = _pool(make, "10.0.0.0/16", token="member@beta", address_scope_id=scope["id"])
    change = {"subnetpool": {"description": "another"}}
    changed = api.put(f"/v2.0/subnetpools/{theirs['id']}", change, token="member@beta")
    assert _kind(changed) == (400, "IllegalSubnetPoolUpdate")


def test_pools_of_a_scope_are_apart(api: Any, make: Make, scope: Any) -> None:
    _pool(make, "10.0.0.0/16", address_scope_id=scope["id"])
    inside = _pool(make, "10.0.8.0/24")
    url = f"subnetpools/{inside['id']}"
    conflict = (409, "AddressScopePrefixConflict")
    assert _kind(_put(api, url, address_scope_id=scope["id"])) == conflict
    apart = _pool(make, "10.1.0.0/16", address_scope_id=scope["id"])
    more = api.put(f"/v2.0/subnetpools/{apart['id']}/add_prefixes", {"prefixes": ["10.0.9.0/24"]})
    assert _kind(more) == conflict
    six = {"name": "six", "prefixes": ["fd00::/48"], "address_scope_id": scope["id"]}
    refused = api.post("/v2.0/subnetpools", {"subnetpool": six})
    assert _kind(refused) == (400, "IllegalSubnetPoolIpVersionAssociationToAddressScope")
    six["address_scope_id"] = "b" * 32
    assert _kind(api.post("/v2.0/subnetpools", {"subnetpool": six})) == (404, "AddressScopeNotFound")


def test_a_network_is_in_one_scope(api: Any, make: Make, scope: Any) -> None:
    first, second = (_pool(make, p, address_scope_id=scope["id"]) for p in ("10.0.0.0/16", "10.1.0.0/16"))
    elsewhere = _pool(make, "10.2.0.0/16")
    network = _network(make, first)
    body = {"network_id": network["id"], "ip_version": 4}
    further = {"subnet": {**body, "subnetpool_id": second["id"]}}
    assert api.post("/v2.0/subnets", further).status_code == 201
    affinity = (400, "NetworkAddressScopeAffinityError")
    for more in ({"subnetpool_id": elsewhere["id"]}, {"cidr": "10.3.0.0/24"}):
        assert _kind(api.post("/v2.0/subnets", {"subnet": {**body, **more}})) == affinity
    moved = _put(api, f"subnetpools/{second['id']}", address_scope_id=None)
    assert _kind(moved) == affinity, "the network would be in two"
    shown = api.get(f"/v2.0/networks/{network['id']}").json["network"]
    assert (shown["ipv4_address_scope"], shown["ipv6_address_scope"]) == (scope["id"], None)


def _told(host: FakeHost, router: dict[str, Any]) -> Any:
    return decode(host.held[Key("router", router["id"])])


def test_a_router_is_told_the_scopes_of_its_networks(api: Any, make: Make, db: Any, scope: Any) -> None:
    cloud = FakeCloud(db)
    host = cloud.add_host("one")
    pool = _pool(make, "10.0.0.0/16", address_scope_id=scope["id"])
    other = _pool(make, "198.51.100.0/24", address_scope_id=scope["id"])
    outside = _network(make, other, token="admin", **{"router:external": True})
    router = make("router", external_gateway_info={"network_id": outside["id"]})
    inner, plain = _network(make, pool), make("network")
    unscoped = make("subnet", network_id=plain["id"], ip_version=4, cidr="10.9.0.0/24")["id"]
    for subnet_id in (inner["subnet"], unscoped):
        url = f"/v2.0/routers/{router['id']}/add_router_interface"
        assert api.put(url, {"subnet_id": subnet_id}).status_code == 200
    cloud.outbox.flush()
    told = _told(host, router)
    scopes = {leg.network_id: leg.ipv4_scope for leg in told.interfaces}
    assert scopes == {inner["id"]: scope["id"], plain["id"]: ""}
    assert told.gateways[0].ipv4_scope == scope["id"] and told.gateways[0].ipv6_scope == ""
    assert _put(api, f"subnetpools/{pool['id']}", address_scope_id=None).status_code == 200
    cloud.outbox.flush()
    assert {leg.ipv4_scope for leg in _told(host, router).interfaces} == {""}
