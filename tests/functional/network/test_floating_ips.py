"""Floating IPs through the API: an outer address stands for an inner one, by the router between them."""

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def router(api: Any, make: Make, outside: Any, net: Any) -> dict[str, Any]:
    """A router between ``net`` and ``outside``."""
    made = make("router", external_gateway_info={"network_id": outside["id"]})
    joined = api.put(f"/v2.0/routers/{made['id']}/add_router_interface", {"subnet_id": net["subnet"]})
    assert joined.status_code == 200, joined.text
    return made


@pytest.fixture
def port(make: Make, net: Any) -> dict[str, Any]:
    """A port of ``net``."""
    return make("port", network_id=net["id"], name="p", device_owner="compute:nova")


def _set(api: Any, floating_ip: dict[str, Any], token: str = "member", **values: Any) -> Any:
    return api.put(f"/v2.0/floatingips/{floating_ip['id']}", {"floatingip": values}, token=token)


def _refused(answer: Any, status: int, kind: str) -> None:
    assert (answer.status_code, answer.json["NeutronError"]["type"]) == (status, kind), answer.text


def _free(outside: Any) -> dict[str, Any]:
    return {"floating_network_id": outside["id"]}


def test_a_floating_ip_without_a_port(api: Any, make: Make, outside: Any) -> None:
    made = make("floatingip", description="d", dns_name="www", dns_domain="example.org.", **_free(outside))
    assert (made["dns_name"], made["dns_domain"]) == ("", ""), "there is no DNS to publish them in"
    assert made["floating_ip_address"] == "198.51.100.3" and made["status"] == "DOWN"
    assert made["port_id"] is made["router_id"] is made["fixed_ip_address"] is made["port_details"] is None
    assert "subnet_id" not in made
    url = f"/v2.0/floatingips/{made['id']}"
    assert api.get(url).json["floatingip"] == made
    assert _set(api, made, description="e").json["floatingip"]["description"] == "e"
    (held,) = api.get(f"/v2.0/ports?device_id={made['id']}", token="admin").json["ports"]
    assert held["device_owner"] == "network:floatingip" and held["status"] == "N/A"
    _refused(api.delete(f"/v2.0/ports/{held['id']}", token="admin"), 409, "ServicePortInUse")
    _refused(api.get(url, token="member@beta"), 404, "FloatingIPNotFound")
    assert api.get("/v2.0/floatingips", token="member@beta").json["floatingips"] == []
    assert api.put(f"{url}/tags/blue").status_code == 201
    assert api.get("/v2.0/floatingips?tags=blue").json["floatingips"][0]["id"] == made["id"]
    assert api.delete(url).status_code == 204
    _refused(api.get(url), 404, "FloatingIPNotFound")
    assert api.get(f"/v2.0/ports/{held['id']}", token="admin").status_code == 404


def test_an_association_goes_on_and_off_and_to_another_port(
    api: Any, make: Make, outside: Any, router: Any, net: Any, port: Any
) -> None:
    made = make("floatingip", port_id=port["id"], **_free(outside))
    assert (made["port_id"], made["router_id"]) == (port["id"], router["id"])
    assert made["fixed_ip_address"] == port["fixed_ips"][0]["ip_address"]
    assert made["port_details"]["name"] == "p" and made["port_details"]["device_owner"] == "compute:nova"
    assert _set(api, made, description="x").json["floatingip"]["port_id"] == port["id"]
    off = _set(api, made, port_id=None).json["floatingip"]
    assert off["port_id"] is off["router_id"] is off["fixed_ip_address"] is None and off["status"] == "DOWN"
    second = make("port", network_id=net["id"])
    for target in (port, second):
        moved = _set(api, made, port_id=target["id"]).json["floatingip"]
        assert moved["fixed_ip_address"] == target["fixed_ips"][0]["ip_address"]
    for query in (
        f"port_id={second['id']}",
        f"router_id={router['id']}",
        f"floating_ip_address={made['floating_ip_address']}",
        f"floating_network_id={outside['id']}",
        "status=DOWN",
    ):
        found = api.get(f"/v2.0/floatingips?{query}").json["floatingips"]
        assert [f["id"] for f in found] == [made["id"]], query
    assert api.delete(f"/v2.0/ports/{second['id']}").status_code == 204
    assert api.get(f"/v2.0/floatingips/{made['id']}").json["floatingip"]["port_id"] is None


def test_what_needs_a_floating_ip_stays(
    api: Any, make: Make, outside: Any, router: Any, net: Any, port: Any
) -> None:
    made = make("floatingip", port_id=port["id"], **_free(outside))
    url = f"/v2.0/routers/{router['id']}"
    needed = "RouterExternalGatewayInUseByFloatingIp"
    _refused(api.put(url, {"router": {"external_gateway_info": {}}}), 409, needed)
    off = api.put(f"{url}/remove_router_interface", {"subnet_id": net["subnet"]})
    _refused(off, 409, "RouterInterfaceInUseByFloatingIP")
    readdressed = api.put(f"/v2.0/ports/{port['id']}", {"port": {"fixed_ips": [{"ip_address": "10.0.0.99"}]}})
    _refused(readdressed, 400, "BadRequest")
    _refused(api.delete(f"/v2.0/networks/{outside['id']}", token="admin"), 409, "NetworkInUse")
    assert api.delete(f"/v2.0/floatingips/{made['id']}").status_code == 204
    assert api.put(f"{url}/remove_router_interface", {"subnet_id": net["subnet"]}).status_code == 200
    assert api.delete(url).status_code == 204


def test_what_cannot_be_associated(
    api: Any, make: Make, outside: Any, router: Any, net: Any, port: Any
) -> None:
    made = make("floatingip", **_free(outside))
    island = make("network")
    make("subnet", network_id=island["id"], ip_version=4, cidr="10.8.0.0/24")
    _refused(_set(api, made, port_id="b" * 32), 404, "PortNotFound")
    alone = make("port", network_id=island["id"])
    _refused(_set(api, made, port_id=alone["id"]), 404, "ExternalGatewayForFloatingIPNotFound")
    bare = make("port", network_id=net["id"], fixed_ips=[])
    _refused(_set(api, made, port_id=bare["id"]), 400, "BadRequest")
    _refused(_set(api, made, fixed_ip_address="10.0.0.9"), 400, "BadRequest")
    _refused(_set(api, made, port_id=port["id"], fixed_ip_address="10.0.0.99"), 400, "BadRequest")
    _refused(_set(api, made, port_id=port["id"], fixed_ip_address="2001:db8::1"), 400, "BadRequest")
    two = make("port", network_id=net["id"], fixed_ips=[{"subnet_id": net["subnet"]}] * 2)
    _refused(_set(api, made, port_id=two["id"]), 400, "BadRequest")
    chosen = two["fixed_ips"][1]["ip_address"]
    assert _set(api, made, port_id=two["id"], fixed_ip_address=chosen).status_code == 200
    other = make("floatingip", **_free(outside))
    again = _set(api, other, port_id=two["id"], fixed_ip_address=chosen)
    _refused(again, 409, "FloatingIPPortAlreadyAssociated")
    foreign = make("floatingip", token="admin@beta", project_id="b" * 32, **_free(outside))
    _refused(_set(api, foreign, token="member@beta", port_id=port["id"]), 404, "PortNotFound")


def test_where_addresses_come_from(api: Any, make: Make, outside: Any, net: Any) -> None:
    def post(token: str = "member", **values: Any) -> Any:
        return api.post("/v2.0/floatingips", {"floatingip": values}, token=token)

    _refused(post(floating_network_id=net["id"]), 400, "BadRequest")
    _refused(post(floating_network_id="b" * 32), 404, "NetworkNotFound")
    assert post().status_code == 400
    chosen = {**_free(outside), "floating_ip_address": "198.51.100.77"}
    _refused(post(**chosen), 403, "PolicyNotAuthorized")
    assert post(token="manager", **chosen).json["floatingip"]["floating_ip_address"] == "198.51.100.77"
    _refused(post(token="admin", **chosen), 409, "IpAddressAlreadyAllocated")
    beyond = {**chosen, "floating_ip_address": "203.0.113.1"}
    _refused(post(token="admin", **beyond), 400, "InvalidIpForNetwork")
    assert post(**_free(outside), subnet_id=outside["subnet"]).status_code == 201
    _refused(post(**_free(outside), subnet_id="b" * 32), 400, "InvalidInput")
    assert post(token="member@beta", **_free(outside)).status_code == 201
    six = make("network", token="admin@admin", **{"router:external": True})
    make("subnet", token="admin@admin", network_id=six["id"], ip_version=6, cidr="2001:db8::/64")
    _refused(post(floating_network_id=six["id"]), 400, "BadRequest")


def test_an_exhausted_network(api: Any, make: Make) -> None:
    network = make("network", token="admin@admin", **{"router:external": True})
    make(
        "subnet",
        token="admin@admin",
        network_id=network["id"],
        ip_version=4,
        cidr="198.51.100.0/29",
        enable_dhcp=False,
        allocation_pools=[{"start": "198.51.100.2", "end": "198.51.100.2"}],
    )
    make("floatingip", floating_network_id=network["id"])
    full = api.post("/v2.0/floatingips", {"floatingip": {"floating_network_id": network["id"]}})
    _refused(full, 409, "IpAddressGenerationFailure")
    assert api.delete(f"/v2.0/networks/{network['id']}", token="admin").status_code == 204
    assert api.get("/v2.0/floatingips").json["floatingips"] == []


def test_the_quota_counts_floating_ips(api: Any, make: Make, outside: Any) -> None:
    api.put(f"/v2.0/quotas/{'a' * 32}", {"quota": {"floatingip": 1}}, token="admin")
    make("floatingip", **_free(outside))
    _refused(api.post("/v2.0/floatingips", {"floatingip": _free(outside)}), 409, "OverQuota")


def test_a_list_takes_as_many_queries_for_many(
    api: Any, make: Make, outside: Any, router: Any, net: Any, queries: Any
) -> None:
    def count() -> int:
        with queries() as seen:
            assert api.get("/v2.0/floatingips").status_code == 200
        return len(seen)

    def add() -> None:
        make("floatingip", port_id=make("port", network_id=net["id"])["id"], **_free(outside))

    add()
    one = count()
    for _ in range(4):
        add()
    assert count() == one
