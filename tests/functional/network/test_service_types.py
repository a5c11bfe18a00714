"""Subnets that are for ports of certain owners."""

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., dict[str, Any]]
COMPUTE, ROUTERS = "10.1.0.0/24", "10.2.0.0/24"


@pytest.fixture
def network(make: Make) -> dict[str, Any]:
    """A network whose subnets are for few."""
    found = make("network")
    for cidr, owner in ((COMPUTE, "compute:nova"), (ROUTERS, "network:router_interface")):
        subnet = make("subnet", network_id=found["id"], ip_version=4, cidr=cidr, service_types=[owner])
        found[cidr] = subnet["id"]
    return found


def _port(api: Any, network: dict[str, Any], token: str = "member", **values: Any) -> Any:
    return api.post("/v2.0/ports", {"port": {"network_id": network["id"], **values}}, token=token)


def _subnets(answer: Any) -> list[str]:
    assert answer.status_code == 201, answer.text
    return [ip["subnet_id"] for ip in answer.json["port"]["fixed_ips"]]


def _kind(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["NeutronError"]["type"]


def test_a_port_has_an_address_of_what_is_for_its_owner(api: Any, make: Make, network: Any) -> None:
    assert _subnets(_port(api, network, device_owner="compute:nova")) == [network[COMPUTE]]
    router_port = _port(api, network, "admin", device_owner="network:router_interface")
    assert _subnets(router_port) == [network[ROUTERS]]
    assert _kind(_port(api, network)) == (409, "IpAddressGenerationFailureNoMatchingSubnet")
    for_all = make("subnet", network_id=network["id"], ip_version=4, cidr="10.3.0.0/24")["id"]
    assert _subnets(_port(api, network)) == [for_all]
    assert _subnets(_port(api, network, device_owner="compute:nova")) == [network[COMPUTE]], "its own first"
    wanted = [{"subnet_id": network[COMPUTE]}]
    assert _kind(_port(api, network, fixed_ips=wanted)) == (400, "InvalidInput")
    both = [{"subnet_id": network[COMPUTE]}, {"subnet_id": for_all}]
    assert len(_subnets(_port(api, network, device_owner="compute:nova", fixed_ips=both))) == 2


def test_a_router_is_joined_to_what_is_for_routers(api: Any, make: Make, network: Any) -> None:
    url = f"/v2.0/routers/{make('router')['id']}/add_router_interface"
    assert _kind(api.put(url, {"subnet_id": network[COMPUTE]})) == (400, "InvalidInput")
    assert api.put(url, {"subnet_id": network[ROUTERS]}).status_code == 200


def test_floating_ips_have_subnets_of_their_own(api: Any, make: Make, outside: Any) -> None:
    values = {"network_id": outside["id"], "ip_version": 4, "cidr": "203.0.113.0/24"}
    make("subnet", token="admin@admin", service_types=["network:floatingip"], **values)
    floating = make("floatingip", floating_network_id=outside["id"])
    assert floating["floating_ip_address"].startswith("203.0.113.")
    router = make("router", external_gateway_info={"network_id": outside["id"]})
    (address,) = router["external_gateway_info"]["external_fixed_ips"]
    assert address["subnet_id"] == outside["subnet"]


def test_types_are_changed_and_checked(api: Any, network: Any) -> None:
    url = f"/v2.0/subnets/{network[COMPUTE]}"
    body = {"subnet": {"service_types": []}}
    assert api.put(url, body).json["subnet"]["service_types"] == []
    assert _subnets(_port(api, network)) == [network[COMPUTE]]
    for bad in (["nova"], ["compute:nova", 5], "compute:nova"):
        assert api.put(url, {"subnet": {"service_types": bad}}).status_code == 400
    assert _kind(api.put(url, {"subnet": {"service_types": ["nova"]}})) == (400, "InvalidSubnetServiceType")


def test_hosts_answer_dhcp_on_any(api: Any, network: Any) -> None:
    (port,) = api.get(f"/v2.0/ports?network_id={network['id']}&device_owner=network:distributed").json[
        "ports"
    ]
    assert {ip["subnet_id"] for ip in port["fixed_ips"]} == {network[COMPUTE], network[ROUTERS]}
