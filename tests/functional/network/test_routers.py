"""Routers through the API: what they are joined to, where they lead, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def router(make: Make) -> dict[str, Any]:
    """A router of alpha, joined to nothing."""
    return make("router", name="r")


def _join(api: Any, router: dict[str, Any], verb: str = "add", **asked: str) -> Any:
    return api.put(f"/v2.0/routers/{router['id']}/{verb}_router_interface", asked)


def _set(api: Any, router: dict[str, Any], token: str = "member", **values: Any) -> Any:
    return api.put(f"/v2.0/routers/{router['id']}", {"router": values}, token=token)


def _refused(answer: Any, status: int, kind: str) -> None:
    assert (answer.status_code, answer.json["NeutronError"]["type"]) == (status, kind), answer.text


def _subnet(make: Make, network: dict[str, Any], cidr: str, **values: Any) -> dict[str, Any]:
    return make("subnet", network_id=network["id"], ip_version=6 if ":" in cidr else 4, cidr=cidr, **values)


def test_a_router_is_made_shown_changed_and_deleted(api: Any, make: Make) -> None:
    made = make("router", name="r", description="d", admin_state_up=False)
    assert made["status"] == "ACTIVE" and made["external_gateway_info"] is None and made["routes"] == []
    assert made["admin_state_up"] is False and "ha" not in made and "distributed" not in made
    url = f"/v2.0/routers/{made['id']}"
    assert api.get(url).json["router"] == made
    seen = api.get(url, token="admin").json["router"]
    assert seen["ha"] is False and seen["distributed"] is False
    changed = _set(api, made, name="s", admin_state_up=True).json["router"]
    assert changed["name"] == "s" and changed["admin_state_up"] is True
    assert changed["revision_number"] > made["revision_number"]
    assert [r["id"] for r in api.get("/v2.0/routers?name=s").json["routers"]] == [made["id"]]
    assert api.put(f"{url}/tags/blue").status_code == 201
    assert api.get("/v2.0/routers?tags=blue").json["routers"][0]["tags"] == ["blue"]
    assert api.delete(url).status_code == 204
    _refused(api.get(url), 404, "RouterNotFound")


def test_a_router_of_another_project_is_not_there(api: Any, router: dict[str, Any], net: Any) -> None:
    url = f"/v2.0/routers/{router['id']}"
    for answer in (
        api.get(url, token="member@beta"),
        api.put(url, {"router": {"name": "x"}}, token="member@beta"),
        api.delete(url, token="member@beta"),
        api.put(f"{url}/add_router_interface", {"subnet_id": net["subnet"]}, token="member@beta"),
    ):
        _refused(answer, 404, "RouterNotFound")
    assert api.get("/v2.0/routers", token="member@beta").json["routers"] == []
    assert api.post("/v2.0/routers", {"router": {}}, token="reader").status_code == 403


@pytest.mark.parametrize(
    "values",
    [
        {"external_gateway_info": {"enable_snat": True}},
        {"external_gateway_info": {"network_id": "x"}},
        {"external_gateway_info": {"network_id": "b" * 32, "nonsense": 1}},
        {"routes": []},
        {"ha": False},
        {"admin_state_up": "perhaps"},
    ],
)
def test_bad_values(api: Any, values: dict[str, Any]) -> None:
    assert api.post("/v2.0/routers", {"router": values}).status_code == 400


def test_the_quota_counts_routers(api: Any, make: Make) -> None:
    api.put(f"/v2.0/quotas/{'a' * 32}", {"quota": {"router": 1}}, token="admin")
    make("router")
    _refused(api.post("/v2.0/routers", {"router": {}}), 409, "OverQuota")


# --- inside


def test_an_interface_by_subnet_has_the_gateways_address(api: Any, router: Any, net: Any) -> None:
    joined = _join(api, router, subnet_id=net["subnet"]).json
    assert joined["id"] == router["id"] and joined["subnet_ids"] == [net["subnet"]] == [joined["subnet_id"]]
    port = api.get(f"/v2.0/ports/{joined['port_id']}").json["port"]
    assert port["fixed_ips"] == [{"subnet_id": net["subnet"], "ip_address": "10.0.0.1"}]
    assert port["device_owner"] == "network:router_interface" and port["device_id"] == router["id"]
    assert port["security_groups"] == [] and port["project_id"] == router["project_id"]
    url = f"/v2.0/ports/{port['id']}"
    _refused(api.delete(url), 409, "ServicePortInUse")
    _refused(api.put(url, {"port": {"device_id": ""}}, token="admin"), 409, "PortInUse")
    _refused(api.put(url, {"port": {"fixed_ips": []}}), 400, "BadRequest")
    moved = api.put(url, {"port": {"fixed_ips": [{"subnet_id": net["subnet"], "ip_address": "10.0.0.9"}]}})
    assert [ip["ip_address"] for ip in moved.json["port"]["fixed_ips"]] == ["10.0.0.9"]
    _refused(api.delete(f"/v2.0/subnets/{net['subnet']}"), 409, "SubnetInUse")
    _refused(api.delete(f"/v2.0/networks/{net['id']}"), 409, "NetworkInUse")
    _refused(api.delete(f"/v2.0/routers/{router['id']}"), 409, "RouterInUse")
    gone = _join(api, router, "remove", subnet_id=net["subnet"])
    assert gone.json["port_id"] == port["id"]
    assert api.get(url).status_code == 404
    assert api.delete(f"/v2.0/routers/{router['id']}").status_code == 204


def test_an_interface_by_port_has_the_ports_address(api: Any, make: Make, router: Any, net: Any) -> None:
    port = make("port", network_id=net["id"])
    joined = _join(api, router, port_id=port["id"]).json
    assert joined["port_id"] == port["id"]
    after = api.get(f"/v2.0/ports/{port['id']}").json["port"]
    assert after["fixed_ips"] == port["fixed_ips"] and after["device_id"] == router["id"]
    assert after["security_groups"] == []
    other = make("router")
    _refused(_join(api, other, port_id=port["id"]), 409, "PortInUse")
    _refused(_join(api, other, "remove", port_id=port["id"]), 404, "RouterInterfaceNotFound")
    _refused(
        _join(api, router, "remove", port_id=port["id"], subnet_id="b" * 32), 409, "SubnetMismatchForPort"
    )
    assert _join(api, router, "remove", port_id=port["id"]).status_code == 200


def test_what_a_router_cannot_be_joined_to(api: Any, make: Make, router: Any, net: Any) -> None:
    _refused(_join(api, router), 400, "BadRequest")
    _refused(_join(api, router, subnet_id="b" * 32), 404, "SubnetNotFound")
    _refused(_join(api, router, port_id="b" * 32), 404, "PortNotFound")
    _refused(_join(api, router, subnet_id=net["subnet"], port_id="b" * 32), 400, "BadRequest")
    _refused(_join(api, router, "remove", subnet_id=net["subnet"]), 404, "RouterInterfaceNotFoundForSubnet")
    blind = _subnet(make, make("network"), "10.1.0.0/24", gateway_ip=None)
    _refused(_join(api, router, subnet_id=blind["id"]), 400, "BadRequest")
    bare = make("port", network_id=net["id"], fixed_ips=[])
    _refused(_join(api, router, port_id=bare["id"]), 400, "BadRequest")
    assert _join(api, router, subnet_id=net["subnet"]).status_code == 200
    _refused(_join(api, router, subnet_id=net["subnet"]), 400, "BadRequest")
    within = _subnet(make, make("network"), "10.0.0.128/25")
    _refused(_join(api, router, subnet_id=within["id"]), 400, "BadRequest")
    taken = make("network")
    subnet = _subnet(make, taken, "10.2.0.0/24")
    make("port", network_id=taken["id"], fixed_ips=[{"ip_address": "10.2.0.1"}])
    _refused(_join(api, router, subnet_id=subnet["id"]), 409, "IpAddressAlreadyAllocated")


def test_a_shared_subnet_is_joined_by_its_owner_alone(api: Any, make: Make, router: Any) -> None:
    shared = make("network", token="admin@beta", shared=True)
    subnet = make("subnet", token="admin@beta", network_id=shared["id"], ip_version=4, cidr="10.5.0.0/24")
    _refused(_join(api, router, subnet_id=subnet["id"]), 400, "BadRequest")
    port = make("port", network_id=shared["id"])
    assert _join(api, router, port_id=port["id"]).status_code == 200


def test_ipv6_prefixes_of_a_network_are_on_one_port(api: Any, make: Make, router: Any) -> None:
    network = make("network")
    modes = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
    first, second = (_subnet(make, network, f"2001:db8:{n}::/64", **modes) for n in (1, 2))
    four = _subnet(make, network, "10.0.0.0/24")
    joined = [_join(api, router, subnet_id=s["id"]).json for s in (first, second, four)]
    assert joined[0]["port_id"] == joined[1]["port_id"] != joined[2]["port_id"]
    port = api.get(f"/v2.0/ports/{joined[0]['port_id']}").json["port"]
    assert [ip["ip_address"] for ip in port["fixed_ips"]] == ["2001:db8:1::1", "2001:db8:2::1"]
    assert _join(api, router, "remove", subnet_id=first["id"]).json["port_id"] == port["id"]
    port = api.get(f"/v2.0/ports/{port['id']}").json["port"]
    assert [ip["subnet_id"] for ip in port["fixed_ips"]] == [second["id"]]
    outer = _subnet(make, make("network"), "2001:db8:3::/64", ipv6_address_mode="slaac")
    _refused(_join(api, router, subnet_id=outer["id"]), 400, "BadRequest")


# --- outside


def test_a_gateway_has_an_address_that_only_administrators_see_a_port_of(
    api: Any, make: Make, outside: Any
) -> None:
    router = make("router", external_gateway_info={"network_id": outside["id"]})
    info = router["external_gateway_info"]
    assert info["network_id"] == outside["id"] and info["enable_snat"] is True
    assert info["external_fixed_ips"] == [{"subnet_id": outside["subnet"], "ip_address": "198.51.100.3"}]
    url = f"/v2.0/ports?device_id={router['id']}"
    (port,) = api.get(url, token="admin").json["ports"]
    assert port["device_owner"] == "network:router_gateway" and port["project_id"] == ""
    assert api.get(url).json["ports"] == []
    _refused(api.delete(f"/v2.0/ports/{port['id']}", token="admin"), 409, "ServicePortInUse")
    network = f"/v2.0/networks/{outside['id']}"
    closed = api.put(network, {"network": {"router:external": False}}, token="admin")
    _refused(closed, 409, "ExternalNetworkInUse")
    assert _set(api, router, external_gateway_info={}).json["router"]["external_gateway_info"] is None
    assert api.get(url, token="admin").json["ports"] == []
    assert _set(api, router, external_gateway_info={"network_id": outside["id"]}).status_code == 200
    assert api.delete(f"/v2.0/routers/{router['id']}").status_code == 204
    assert api.get(url, token="admin").json["ports"] == []


def test_what_of_a_gateway_is_the_administrators(api: Any, router: Any, outside: Any) -> None:
    for extra in (
        {"enable_snat": False},
        {"external_fixed_ips": [{"ip_address": "198.51.100.9"}]},
    ):
        info = {"network_id": outside["id"], **extra}
        _refused(_set(api, router, external_gateway_info=info), 403, "PolicyNotAuthorized")
        changed = _set(api, router, token="admin", external_gateway_info=info)
        assert changed.status_code == 200, changed.text
    info = api.get(f"/v2.0/routers/{router['id']}").json["router"]["external_gateway_info"]
    assert [ip["ip_address"] for ip in info["external_fixed_ips"]] == ["198.51.100.9"]
    own = {"network_id": outside["id"], "external_fixed_ips": [{"ip_address": "198.51.100.1"}]}
    _refused(_set(api, router, token="admin", external_gateway_info=own), 400, "BadRequest")


def test_a_gateway_is_on_an_external_network(
    api: Any, make: Make, router: Any, net: Any, outside: Any
) -> None:
    _refused(_set(api, router, external_gateway_info={"network_id": net["id"]}), 400, "BadRequest")
    _refused(_set(api, router, external_gateway_info={"network_id": "b" * 32}), 404, "NetworkNotFound")
    clash = _subnet(make, make("network"), "198.51.100.0/25")
    assert _join(api, router, subnet_id=clash["id"]).status_code == 200
    _refused(_set(api, router, external_gateway_info={"network_id": outside["id"]}), 400, "BadRequest")


# --- routes


def test_routes_lead_over_the_routers_links(api: Any, make: Make, router: Any, net: Any) -> None:
    assert _join(api, router, subnet_id=net["subnet"]).status_code == 200
    route = {"destination": "192.0.2.0/24", "nexthop": "10.0.0.9"}
    for bad in (
        {**route, "nexthop": "10.9.0.9"},
        {**route, "nexthop": "10.0.0.1"},
        {**route, "nexthop": "2001:db8::1"},
    ):
        _refused(_set(api, router, routes=[bad]), 400, "InvalidRoutes")
    for bad in ({**route, "destination": "192.0.2.1/24"}, {**route, "nexthop": "x"}, {"nexthop": "10.0.0.9"}):
        assert _set(api, router, routes=[bad]).status_code == 400
    assert _set(api, router, routes=[route, route]).status_code == 400
    assert _set(api, router, routes=[route]).json["router"]["routes"] == [route]
    _refused(_join(api, router, "remove", subnet_id=net["subnet"]), 409, "RouterInterfaceInUseByRoute")
    url = f"/v2.0/routers/{router['id']}"
    more = {"router": {"routes": [route, {**route, "nexthop": "10.0.0.10"}]}}
    added = api.put(f"{url}/add_extraroutes", more).json["router"]["routes"]
    assert [r["nexthop"] for r in added] == ["10.0.0.9", "10.0.0.10"]
    less = api.put(f"{url}/remove_extraroutes", {"router": {"routes": [route]}}).json["router"]["routes"]
    assert [r["nexthop"] for r in less] == ["10.0.0.10"]
    assert _set(api, router, name="n").json["router"]["routes"] == less
    assert _set(api, router, routes=None).json["router"]["routes"] == []


def test_a_list_takes_as_many_queries_for_many(api: Any, make: Make, outside: Any, queries: Any) -> None:
    def count() -> int:
        with queries() as seen:
            assert api.get("/v2.0/routers").status_code == 200
        return len(seen)

    make("router", external_gateway_info={"network_id": outside["id"]})
    one = count()
    for _ in range(4):
        make("router", external_gateway_info={"network_id": outside["id"]})
    assert count() == one
