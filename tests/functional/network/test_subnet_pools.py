"""Subnet pools through the API, and subnets cut from them."""

from typing import Any

import pytest

EVERY = {"min_prefixlen": 8, "default_prefixlen": 24, "max_prefixlen": 30}


@pytest.fixture
def pool(make: Any) -> dict[str, Any]:
    found: dict[str, Any] = make("subnetpool", name="pool", prefixes=["10.0.0.0/22"], **EVERY)
    return found


def _cut(api: Any, network: Any, token: str = "member", **values: Any) -> Any:
    body = {"network_id": network["id"], "ip_version": 4, **values}
    return api.post("/v2.0/subnets", {"subnet": body}, token=token)


def _kind(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["NeutronError"]["type"]


def test_what_is_not_given_is_laid_out(api: Any, make: Any) -> None:
    pool = make("subnetpool", name="four", prefixes=["10.1.0.0/16", "10.0.0.0/16", "10.0.4.0/24"])
    assert pool["prefixes"] == ["10.0.0.0/15"] and pool["ip_version"] == 4
    lengths = ("min_prefixlen", "default_prefixlen", "max_prefixlen")
    assert [pool[name] for name in lengths] == [8, 8, 32]
    assert (pool["shared"], pool["is_default"], pool["default_quota"]) == (False, False, None)
    assert pool["address_scope_id"] is None and pool["tags"] == [] and pool["revision_number"] >= 1
    six = make("subnetpool", name="six", prefixes=["fd00::/48"])
    assert [six[name] for name in lengths] == [64, 64, 128] and six["ip_version"] == 6
    assert [p["name"] for p in api.get("/v2.0/subnetpools?ip_version=6").json["subnetpools"]] == ["six"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"prefixes": []}, "EmptySubnetPoolPrefixList"),
        ({"prefixes": ["10.0.0.0/8", "fd00::/64"]}, "PrefixVersionMismatch"),
        ({"prefixes": ["10.0.0.1/8"]}, "HTTPBadRequest"),
        ({"prefixes": ["x"]}, "HTTPBadRequest"),
        ({"prefixes": "10.0.0.0/8"}, None),
        ({"min_prefixlen": 25}, "IllegalSubnetPoolPrefixBounds"),
        ({"max_prefixlen": 33}, "IllegalSubnetPoolPrefixBounds"),
        ({"default_prefixlen": 31}, "IllegalSubnetPoolPrefixBounds"),
        ({"default_prefixlen": 7}, "IllegalSubnetPoolPrefixBounds"),
        ({"default_prefixlen": -1}, None),
        ({"default_quota": -1}, None),
        ({"name": ""}, None),
        ({"ip_version": 4}, "HTTPBadRequest"),
    ],
)
def test_bad_values(api: Any, values: dict[str, Any], kind: str | None) -> None:
    body = {"name": "p", "prefixes": ["10.0.0.0/8"], **EVERY, **values}
    answer = api.post("/v2.0/subnetpools", {"subnetpool": body})
    assert answer.status_code == 400
    assert kind is None or answer.json["NeutronError"]["type"] == kind


def test_subnets_are_cut_apart(api: Any, make: Any, pool: Any) -> None:
    network = make("network")
    first = _cut(api, network, subnetpool_id=pool["id"]).json["subnet"]
    assert (first["cidr"], first["gateway_ip"], first["subnetpool_id"]) == (
        "10.0.0.0/24",
        "10.0.0.1",
        pool["id"],
    )
    chosen = _cut(api, network, subnetpool_id=pool["id"], cidr="10.0.2.0/24").json["subnet"]
    assert chosen["cidr"] == "10.0.2.0/24"
    small = _cut(api, network, subnetpool_id=pool["id"], prefixlen=26, enable_dhcp=False).json["subnet"]
    assert small["cidr"] == "10.0.1.0/26"
    by_gateway = _cut(api, network, subnetpool_id=pool["id"], gateway_ip="10.0.3.9").json["subnet"]
    assert (by_gateway["cidr"], by_gateway["gateway_ip"]) == ("10.0.3.0/24", "10.0.3.9")
    listed = api.get(f"/v2.0/subnets?subnetpool_id={pool['id']}").json["subnets"]
    assert len(listed) == 4
    taken = _cut(api, network, subnetpool_id=pool["id"], cidr="10.0.2.0/25")
    assert _kind(taken) == (409, "SubnetAllocationError")
    full = _cut(api, make("network"), subnetpool_id=pool["id"], prefixlen=24)
    assert _kind(full) == (409, "SubnetAllocationError")
    assert api.delete(f"/v2.0/subnets/{first['id']}").status_code == 204
    again = _cut(api, make("network"), subnetpool_id=pool["id"]).json["subnet"]
    assert again["cidr"] == "10.0.0.0/24"


def test_ipv6_is_cut_in_prefixes_of_64_bits(api: Any, make: Any) -> None:
    pool = make("subnetpool", name="six", prefixes=["fd00:5::/60"], default_quota=2)
    found = [
        _cut(
            api,
            make("network"),
            ip_version=6,
            subnetpool_id=pool["id"],
            ipv6_ra_mode="slaac",
            ipv6_address_mode="slaac",
        )
        for _ in range(3)
    ]
    assert [f.json["subnet"]["cidr"] for f in found[:2]] == ["fd00:5::/64", "fd00:5:0:1::/64"]
    assert _kind(found[2]) == (409, "SubnetPoolQuotaExceeded")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"cidr": "10.0.0.0/24", "prefixlen": 24}, "BadRequest"),
        ({"prefixlen": 31}, "MaxPrefixSubnetAllocationError"),
        ({"prefixlen": 7}, "MinPrefixSubnetAllocationError"),
        ({"ip_version": 6}, "BadRequest"),
        ({"allocation_pools": [{"start": "10.0.0.5", "end": "10.0.0.9"}]}, "BadRequest"),
        ({"use_default_subnetpool": True}, "BadRequest"),
        ({"gateway_ip": "x"}, "HTTPBadRequest"),
    ],
)
def test_bad_cuts(api: Any, make: Any, pool: Any, values: dict[str, Any], kind: str) -> None:
    assert _kind(_cut(api, make("network"), subnetpool_id=pool["id"], **values)) == (400, kind)


def test_one_pool_for_a_network(api: Any, make: Any, pool: Any) -> None:
    other = make("subnetpool", name="other", prefixes=["10.8.0.0/16"], **EVERY)
    network = make("network")
    assert _cut(api, network, subnetpool_id=pool["id"]).status_code == 201
    affinity = (400, "NetworkSubnetPoolAffinityError")
    assert _kind(_cut(api, network, subnetpool_id=other["id"])) == affinity
    assert _kind(_cut(api, network, cidr="10.99.0.0/24")) == affinity
    assert _cut(api, network, ip_version=6, cidr="fd00::/64").status_code == 201


def test_the_default_pool(api: Any, make: Any) -> None:
    network = make("network")
    assert _kind(_cut(api, network, use_default_subnetpool=True)) == (400, "BadRequest")
    assert _kind(_cut(api, network)) == (400, "BadRequest")
    values = {"prefixes": ["10.64.0.0/16"], "default_prefixlen": 26}
    admins = {"token": "admin@admin", "shared": True, "is_default": True}
    pool = make("subnetpool", name="default", **values, **admins)
    assert pool["is_default"] and pool["shared"]
    second = {"name": "second", "prefixes": ["10.65.0.0/16"], "is_default": True}
    assert _kind(api.post("/v2.0/subnetpools", {"subnetpool": second}, token="admin")) == (
        400,
        "InvalidInput",
    )
    assert api.post("/v2.0/subnetpools", {"subnetpool": second}).status_code == 403
    assert _cut(api, network, use_default_subnetpool=True).json["subnet"]["cidr"] == "10.64.0.0/26"
    listed = api.get("/v2.0/subnetpools?is_default=True").json["subnetpools"]
    assert [p["id"] for p in listed] == [pool["id"]]
    url = f"/v2.0/subnetpools/{pool['id']}"
    changed = api.put(url, {"subnetpool": {"is_default": False}}, token="admin").json["subnetpool"]
    assert changed["is_default"] is False
    assert make("subnetpool", token="admin", **second)["is_default"] is True


def test_prefixes_come_and_go(api: Any, make: Any, pool: Any) -> None:
    url = f"/v2.0/subnetpools/{pool['id']}"
    assert _cut(api, make("network"), subnetpool_id=pool["id"]).status_code == 201
    less = api.put(url, {"subnetpool": {"prefixes": ["10.0.0.0/23"]}})
    assert _kind(less) == (400, "IllegalSubnetPoolPrefixUpdate")
    more = api.put(url, {"subnetpool": {"prefixes": ["10.0.0.0/22", "10.9.0.0/24"], "name": "new"}})
    assert more.json["subnetpool"]["prefixes"] == ["10.0.0.0/22", "10.9.0.0/24"]
    added = api.put(f"{url}/add_prefixes", {"prefixes": ["10.9.1.0/24"]})
    assert added.json == {"prefixes": ["10.0.0.0/22", "10.9.0.0/23"]}
    mixed = api.put(f"{url}/add_prefixes", {"prefixes": ["fd00::/64"]})
    assert _kind(mixed) == (400, "PrefixVersionMismatch")
    used = api.put(f"{url}/remove_prefixes", {"prefixes": ["10.0.0.0/25"]})
    assert _kind(used) == (400, "IllegalSubnetPoolPrefixUpdate")
    gone = api.put(f"{url}/remove_prefixes", {"prefixes": ["10.9.0.0/24", "10.0.3.0/24"]})
    assert gone.json == {"prefixes": ["10.0.0.0/23", "10.0.2.0/24", "10.9.1.0/24"]}
    unknown = api.put(f"{url}/remove_prefixes", {"prefixes": ["172.16.0.0/12"]})
    assert unknown.json == gone.json
    foreign = api.put(f"{url}/remove_prefixes", {"prefixes": ["::/64"]})
    assert foreign.json == gone.json, "as numbers they meet"
    assert api.put(f"{url}/remove_prefixes", {"prefixes": []}).status_code == 400
    assert _kind(api.delete(url)) == (400, "SubnetPoolDeleteError")


def test_subnets_of_a_network_are_taken_in(api: Any, make: Any, pool: Any) -> None:
    network = make("network")
    subnet = make("subnet", network_id=network["id"], ip_version=4, cidr="10.77.0.0/24")
    url = f"/v2.0/subnetpools/{pool['id']}/onboard_network_subnets"
    answer = api.put(url, {"network_id": network["id"]})
    assert answer.json == [{"id": subnet["id"], "cidr": "10.77.0.0/24"}]
    assert api.get(f"/v2.0/subnets/{subnet['id']}").json["subnet"]["subnetpool_id"] == pool["id"]
    shown = api.get(f"/v2.0/subnetpools/{pool['id']}").json["subnetpool"]
    assert shown["prefixes"] == ["10.0.0.0/22", "10.77.0.0/24"]
    assert _kind(api.put(url, {"network_id": network["id"]})) == (400, "IllegalSubnetPoolUpdate")
    shared = make("network", token="admin@beta", shared=True)
    assert api.put(url, {"network_id": shared["id"]}).status_code == 403


def test_who_sees_and_uses_a_pool(api: Any, make: Any, pool: Any) -> None:
    url = f"/v2.0/subnetpools/{pool['id']}"
    theirs = make("network", token="member@beta")
    assert api.get(url, token="member@beta").status_code == 404
    assert _kind(_cut(api, theirs, token="member@beta", subnetpool_id=pool["id"])) == (
        404,
        "SubnetPoolNotFound",
    )
    body = {"subnetpool": {"name": "p", "prefixes": ["10.0.0.0/8"], "shared": True}}
    assert api.post("/v2.0/subnetpools", body).status_code == 403
    shared = make("subnetpool", token="admin@alpha", **body["subnetpool"], default_prefixlen=24)
    listed = api.get("/v2.0/subnetpools", token="member@beta").json["subnetpools"]
    assert [(p["id"], p["shared"]) for p in listed] == [(shared["id"], True)]
    assert _cut(api, theirs, token="member@beta", subnetpool_id=shared["id"]).status_code == 201
    change = {"subnetpool": {"name": "mine"}}
    assert api.put(f"/v2.0/subnetpools/{shared['id']}", change, token="member@beta").status_code == 403
    assert api.delete(url, token="member@beta").status_code == 404
    assert api.delete(url, token="reader").status_code == 403
    assert api.delete(url).status_code == 204


def test_the_quota(api: Any, pool: Any) -> None:
    api.put(f"/v2.0/quotas/{'a' * 32}", {"quota": {"subnetpool": 1}}, token="admin")
    body = {"subnetpool": {"name": "p", "prefixes": ["10.0.0.0/8"]}}
    assert _kind(api.post("/v2.0/subnetpools", body)) == (409, "OverQuota")
    details = api.get(f"/v2.0/quotas/{'a' * 32}/details.json").json["quota"]
    assert details["subnetpool"] == {"limit": 1, "used": 1, "reserved": 0}
