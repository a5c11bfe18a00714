"""Subnets through the API."""

from typing import Any

import pytest


@pytest.fixture
def network(make: Any) -> dict[str, Any]:
    found: dict[str, Any] = make("network")
    return found


def test_what_is_not_given_is_laid_out(api: Any, make: Any, network: Any) -> None:
    subnet = make("subnet", network_id=network["id"], ip_version=4, cidr="10.0.0.0/24")
    assert subnet["gateway_ip"] == "10.0.0.1" and subnet["enable_dhcp"] is True
    assert subnet["allocation_pools"] == [{"start": "10.0.0.2", "end": "10.0.0.254"}]
    assert subnet["dns_nameservers"] == [] == subnet["host_routes"] and subnet["ipv6_ra_mode"] is None
    assert api.get(f"/v2.0/networks/{network['id']}").json["network"]["subnets"] == [subnet["id"]]


def test_gateways(make: Any, network: Any) -> None:
    none = make("subnet", network_id=network["id"], ip_version=4, cidr="10.0.0.0/24", gateway_ip=None)
    assert none["gateway_ip"] is None and none["allocation_pools"][0]["start"] == "10.0.0.1"
    middle = make(
        "subnet", network_id=network["id"], ip_version="4", cidr="10.0.1.0/24", gateway_ip="10.0.1.9"
    )
    assert [p["start"] for p in middle["allocation_pools"]] == ["10.0.1.1", "10.0.1.10"]
    outside = make(
        "subnet", network_id=network["id"], ip_version=4, cidr="10.0.2.0/24", gateway_ip="10.9.9.9"
    )
    assert outside["gateway_ip"] == "10.9.9.9"
    six = make("subnet", network_id=network["id"], ip_version=6, cidr="fd00::/64")
    assert six["gateway_ip"] == "fd00::1"
    assert six["allocation_pools"] == [{"start": "fd00::2", "end": "fd00::ffff:ffff:ffff:ffff"}]


@pytest.mark.parametrize(
    ("values", "status", "kind"),
    [
        ({"cidr": "10.0.0.0/33"}, 400, None),
        ({"cidr": "10.0.0.5/24"}, 400, None),
        ({"cidr": "x"}, 400, None),
        ({"cidr": None}, 400, None),
        ({"cidr": "0.0.0.0/0"}, 400, "InvalidInput"),
        ({"cidr": "224.0.0.0/24"}, 400, "InvalidInput"),
        ({"cidr": "127.0.0.0/24"}, 400, "InvalidInput"),
        ({"cidr": "10.0.0.0/31"}, 400, "InvalidInput"),
        ({"cidr": "fd00::/64"}, 400, "InvalidInput"),
        ({"ip_version": 5}, 400, None),
        ({"gateway_ip": "10.0.0.0"}, 400, "InvalidInput"),
        ({"gateway_ip": "fd00::1"}, 400, "InvalidInput"),
        ({"gateway_ip": "nonsense"}, 400, None),
        ({"allocation_pools": [{"start": "10.0.0.9", "end": "10.0.0.5"}]}, 400, "InvalidAllocationPool"),
        ({"allocation_pools": [{"start": "10.0.0.9", "end": "10.0.1.5"}]}, 400, "OutOfBoundsAllocationPool"),
        ({"allocation_pools": [{"start": "10.0.0.0", "end": "10.0.0.5"}]}, 400, "OutOfBoundsAllocationPool"),
        (
            {
                "allocation_pools": [
                    {"start": "10.0.0.9", "end": "10.0.0.15"},
                    {"start": "10.0.0.15", "end": "10.0.0.20"},
                ]
            },
            409,
            "OverlappingAllocationPools",
        ),
        (
            {"allocation_pools": [{"start": "10.0.0.1", "end": "10.0.0.5"}]},
            409,
            "GatewayConflictWithAllocationPools",
        ),
        ({"allocation_pools": [{"start": "10.0.0.9"}]}, 400, None),
        ({"dns_nameservers": ["1.1.1.1\nx"]}, 400, None),
        ({"dns_nameservers": ["1.1.1.1", "1.1.1.1"]}, 400, None),
        ({"dns_nameservers": [f"1.1.1.{i}" for i in range(6)]}, 400, "DNSNameServersExhausted"),
        ({"host_routes": [{"destination": "10.5.0.0/16", "nexthop": "x"}]}, 400, None),
        ({"host_routes": [{"destination": "10.5.0.1/16", "nexthop": "10.0.0.2"}]}, 400, None),
        ({"ipv6_ra_mode": "slaac"}, 400, "InvalidInput"),
        ({"enable_dhcp": None}, 400, None),
        ({"network_id": "b" * 32}, 404, "NetworkNotFound"),
        ({"subnetpool_id": "b" * 32}, 404, "SubnetPoolNotFound"),
    ],
)
def test_bad_values(api: Any, network: Any, values: dict[str, Any], status: int, kind: str | None) -> None:
    body = {"network_id": network["id"], "ip_version": 4, "cidr": "10.0.0.0/24", **values}
    answer = api.post("/v2.0/subnets", {"subnet": body})
    assert answer.status_code == status, answer.text
    assert kind is None or answer.json["NeutronError"]["type"] == kind


@pytest.mark.parametrize(
    "values",
    [
        {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "dhcpv6-stateful"},
        {"ipv6_ra_mode": "slaac", "enable_dhcp": False},
        {"ipv6_address_mode": "slaac", "cidr": "fd00::/80"},
        {"ipv6_address_mode": "nonsense"},
        {"cidr": "::/64"},
    ],
)
def test_bad_ipv6_values(api: Any, network: Any, values: dict[str, Any]) -> None:
    body = {"network_id": network["id"], "ip_version": 6, "cidr": "fd00::/64", **values}
    assert api.post("/v2.0/subnets", {"subnet": body}).status_code == 400


def test_subnets_of_a_network_do_not_overlap(api: Any, make: Any, network: Any) -> None:
    make("subnet", network_id=network["id"], ip_version=4, cidr="10.0.0.0/16")
    body = {"network_id": network["id"], "ip_version": 4, "cidr": "10.0.7.0/24"}
    assert api.post("/v2.0/subnets", {"subnet": body}).status_code == 400
    make("subnet", network_id=make("network")["id"], ip_version=4, cidr="10.0.7.0/24")


def test_changes(api: Any, make: Any, net: Any) -> None:
    url = f"/v2.0/subnets/{net['subnet']}"
    changed = api.put(
        url,
        {
            "subnet": {
                "name": "s",
                "gateway_ip": "10.0.0.254",
                "allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.9"}],
                "dns_nameservers": ["9.9.9.9"],
                "host_routes": [{"destination": "10.5.0.0/16", "nexthop": "10.0.0.2"}],
            }
        },
    )
    assert changed.status_code == 200, changed.text
    subnet = changed.json["subnet"]
    assert subnet["gateway_ip"] == "10.0.0.254" and subnet["allocation_pools"][0]["end"] == "10.0.0.9"
    conflict = api.put(url, {"subnet": {"gateway_ip": "10.0.0.5"}})
    assert conflict.status_code == 409
    assert api.put(url, {"subnet": {"cidr": "10.1.0.0/24"}}).status_code == 400
    assert api.put(url, {"subnet": {"gateway_ip": None}}).json["subnet"]["gateway_ip"] is None


def test_the_service_port_follows_dhcp(api: Any, make: Any, net: Any) -> None:
    def service_ports() -> list[Any]:
        found: list[Any] = api.get("/v2.0/ports?device_owner=network:distributed").json["ports"]
        return found

    (port,) = service_ports()
    assert [ip["ip_address"] for ip in port["fixed_ips"]] == ["10.0.0.2"]
    six = make("subnet", network_id=net["id"], ip_version=6, cidr="fd00::/64")
    assert len(service_ports()[0]["fixed_ips"]) == 2
    assert api.delete(f"/v2.0/ports/{port['id']}").status_code == 409
    api.put(f"/v2.0/subnets/{net['subnet']}", {"subnet": {"enable_dhcp": False}})
    assert len(service_ports()[0]["fixed_ips"]) == 1
    api.delete(f"/v2.0/subnets/{six['id']}")
    assert service_ports() == []
    api.put(f"/v2.0/subnets/{net['subnet']}", {"subnet": {"enable_dhcp": True}})
    assert len(service_ports()) == 1


def test_a_subnet_in_use_is_not_deleted(api: Any, make: Any, net: Any) -> None:
    make("port", network_id=net["id"])
    refused = api.delete(f"/v2.0/subnets/{net['subnet']}")
    assert refused.status_code == 409 and refused.json["NeutronError"]["type"] == "SubnetInUse"


def test_slaac_addresses_come_and_go_with_the_subnet(api: Any, make: Any, net: Any) -> None:
    port = make("port", network_id=net["id"], mac_address="fa:16:3e:12:34:56")
    modes = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
    six = make("subnet", network_id=net["id"], ip_version=6, cidr="fd00::/64", **modes)
    url = f"/v2.0/ports/{port['id']}"
    addresses = [ip["ip_address"] for ip in api.get(url).json["port"]["fixed_ips"]]
    assert addresses == ["10.0.0.3", "fd00::f816:3eff:fe12:3456"]
    later = make("port", network_id=net["id"], fixed_ips=[{"subnet_id": net["subnet"]}])
    assert len(later["fixed_ips"]) == 2
    other = [{"subnet_id": six["id"], "ip_address": "fd00::5"}]
    refused = api.post("/v2.0/ports", {"port": {"network_id": net["id"], "fixed_ips": other}})
    assert refused.json["NeutronError"]["type"] == "AllocationOnAutoAddressSubnet"
    assert api.delete(f"/v2.0/subnets/{six['id']}").status_code == 204
    assert len(api.get(url).json["port"]["fixed_ips"]) == 1


def test_only_the_owner_adds_subnets(api: Any, make: Any, net: Any) -> None:
    body = {"subnet": {"network_id": net["id"], "ip_version": 4, "cidr": "10.3.0.0/24"}}
    assert api.post("/v2.0/subnets", body, token="member@beta").status_code == 404


MODES = (None, "slaac", "dhcpv6-stateful", "dhcpv6-stateless")


@pytest.mark.parametrize("ra_mode", MODES)
@pytest.mark.parametrize("address_mode", MODES)
def test_ipv6_modes_go_together_or_are_refused(
    api: Any, make: Any, network: Any, ra_mode: str | None, address_mode: str | None
) -> None:
    modes = {"ipv6_ra_mode": ra_mode, "ipv6_address_mode": address_mode}
    body = {"network_id": network["id"], "ip_version": 6, "cidr": "fd00::/64", **modes}
    made = api.post("/v2.0/subnets", {"subnet": body})
    if ra_mode and address_mode and ra_mode != address_mode:
        assert made.status_code == 400 and made.json["NeutronError"]["type"] == "InvalidInput"
        return
    subnet = made.json["subnet"]
    assert {name: subnet[name] for name in modes} == modes
    port = make("port", network_id=network["id"], mac_address="fa:16:3e:12:34:56")
    is_own = bool({ra_mode, address_mode} & {"slaac", "dhcpv6-stateless"})
    (address,) = (fixed["ip_address"] for fixed in port["fixed_ips"])
    assert (address == "fd00::f816:3eff:fe12:3456") == is_own
    off = api.put(f"/v2.0/subnets/{subnet['id']}", {"subnet": {"enable_dhcp": False}})
    assert off.status_code == (400 if ra_mode or address_mode else 200)
    router = make("router")
    joined = api.put(f"/v2.0/routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]})
    assert joined.status_code == (400 if address_mode and not ra_mode else 200), joined.text
