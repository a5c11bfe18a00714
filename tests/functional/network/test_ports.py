"""Ports through the API."""

from typing import Any

import pytest


def test_a_port_has_an_address_a_mac_and_the_default_group(api: Any, make: Any, net: Any) -> None:
    port = make("port", network_id=net["id"], name="p")
    assert port["fixed_ips"] == [{"subnet_id": net["subnet"], "ip_address": "10.0.0.3"}]
    assert port["mac_address"].startswith("fa:16:3e:")
    (group,) = api.get("/v2.0/security-groups").json["security_groups"]
    assert port["security_groups"] == [group["id"]]
    assert group["name"] == "default" and len(group["security_group_rules"]) == 4
    assert port["status"] == "DOWN" and "binding:host_id" not in port


def test_chosen_addresses(api: Any, make: Any, net: Any) -> None:
    chosen = make(
        "port", network_id=net["id"], fixed_ips=[{"ip_address": "10.0.0.50"}, {"subnet_id": net["subnet"]}]
    )
    assert [ip["ip_address"] for ip in chosen["fixed_ips"]] == ["10.0.0.50", "10.0.0.3"]
    assert make("port", network_id=net["id"], fixed_ips=[])["fixed_ips"] == []
    taken = api.post(
        "/v2.0/ports", {"port": {"network_id": net["id"], "fixed_ips": [{"ip_address": "10.0.0.50"}]}}
    )
    assert taken.status_code == 409
    assert taken.json["NeutronError"]["type"] == "IpAddressAlreadyAllocated"


@pytest.mark.parametrize(
    ("values", "status", "kind"),
    [
        ({"fixed_ips": [{"ip_address": "10.9.0.5"}]}, 400, "InvalidIpForNetwork"),
        ({"fixed_ips": [{"ip_address": "10.0.0.255"}]}, 400, "InvalidIpForNetwork"),
        ({"fixed_ips": [{"ip_address": "nonsense"}]}, 400, None),
        ({"fixed_ips": [{}]}, 400, "InvalidInput"),
        ({"fixed_ips": [{"subnet_id": "b" * 32}]}, 400, "InvalidInput"),
        ({"fixed_ips": [{"ip_address": "10.0.0.7"}] * 2}, 400, None),
        ({"mac_address": "nonsense"}, 400, None),
        ({"mac_address": "01:00:00:00:00:00"}, 400, None),
        ({"mac_address": "00:00:00:00:00:00"}, 400, None),
        ({"network_id": "b" * 32}, 404, "NetworkNotFound"),
        ({"network_id": "x"}, 400, None),
        ({"security_groups": ["b" * 32]}, 404, "SecurityGroupNotFound"),
        ({"device_owner": "network:dhcp"}, 403, "PolicyNotAuthorized"),
        ({"binding:host_id": "host"}, 403, None),
        ({"binding:profile": {}}, 403, None),
        ({"dns_name": "a\nb"}, 400, None),
        ({"dns_name": "a,b"}, 400, None),
        ({"name": "a\nb"}, 400, None),
        ({"extra_dhcp_opts": [{"opt_name": "x\ny", "opt_value": "1"}]}, 400, None),
        ({"extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": "1\n2"}]}, 400, None),
        ({"extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": ""}]}, 400, "HTTPBadRequest"),
        ({"extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": "1", "ip_version": 5}]}, 400, None),
        (
            {"extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": "1"}] * 2},
            409,
            "NeutronDbObjectDuplicateEntry",
        ),
        ({"allowed_address_pairs": [{"ip_address": "x"}]}, 400, None),
        ({"allowed_address_pairs": [{"mac_address": "fa:16:3e:00:00:01"}]}, 400, None),
        ({"allowed_address_pairs": [{"ip_address": "10.0.0.9"}] * 2}, 400, "DuplicateAddressPairInRequest"),
        (
            {"allowed_address_pairs": [{"ip_address": "10.0.0.9"}], "port_security_enabled": False},
            409,
            "AddressPairAndPortSecurityRequired",
        ),
        ({"nonsense": 1}, 400, "HTTPBadRequest"),
    ],
)
def test_bad_values(api: Any, net: Any, values: dict[str, Any], status: int, kind: str | None) -> None:
    answer = api.post("/v2.0/ports", {"port": {"network_id": net["id"], **values}})
    assert answer.status_code == status, answer.text
    assert kind is None or answer.json["NeutronError"]["type"] == kind


def test_macs_are_unique_in_a_network(api: Any, make: Any, net: Any) -> None:
    first = make("port", network_id=net["id"], mac_address="FA-16-3E-00-00-01")
    assert first["mac_address"] == "fa:16:3e:00:00:01"
    taken = api.post("/v2.0/ports", {"port": {"network_id": net["id"], "mac_address": "fa:16:3e:00:00:01"}})
    assert taken.status_code == 409 and taken.json["NeutronError"]["type"] == "MacAddressInUse"


def test_a_used_up_pool(api: Any, make: Any) -> None:
    network = make("network")
    make("subnet", network_id=network["id"], ip_version=4, cidr="10.0.0.0/29")
    ports = api.post("/v2.0/ports", {"ports": [{"network_id": network["id"]}] * 4})
    assert ports.status_code == 201
    full = api.post("/v2.0/ports", {"port": {"network_id": network["id"]}})
    assert full.status_code == 409 and full.json["NeutronError"]["type"] == "IpAddressGenerationFailure"
    freed = ports.json["ports"][1]
    api.delete(f"/v2.0/ports/{freed['id']}")
    assert make("port", network_id=network["id"])["fixed_ips"] == freed["fixed_ips"]


def test_addresses_and_groups_are_changed(api: Any, make: Any, net: Any) -> None:
    port = make("port", network_id=net["id"])
    group = make("security_group", name="g")
    url = f"/v2.0/ports/{port['id']}"
    more = [*port["fixed_ips"], {"subnet_id": net["subnet"], "ip_address": "10.0.0.90"}]
    changed = api.put(url, {"port": {"fixed_ips": more, "security_groups": [group["id"]]}}).json["port"]
    assert changed["fixed_ips"] == more and changed["security_groups"] == [group["id"]]
    fewer = api.put(url, {"port": {"fixed_ips": [{"ip_address": "10.0.0.90"}], "security_groups": []}})
    assert [ip["ip_address"] for ip in fewer.json["port"]["fixed_ips"]] == ["10.0.0.90"]
    assert fewer.json["port"]["security_groups"] == []
    assert api.put(url, {"port": {"port_security_enabled": False}}).status_code == 200
    refused = api.put(url, {"port": {"security_groups": [group["id"]]}})
    assert refused.status_code == 400
    assert api.put(url, {"port": {"device_owner": "network:router_interface"}}).status_code == 403
    assert api.put(url, {"port": {"network_id": net["id"]}}).status_code == 400


def test_admins_bind(api: Any, make: Any, net: Any) -> None:
    port = make("port", token="admin", network_id=net["id"], **{"binding:host_id": "node1"})
    assert port["binding:vif_type"] == "ovs" and port["binding:host_id"] == "node1"
    shown = api.get(f"/v2.0/ports/{port['id']}").json["port"]
    assert "binding:host_id" not in shown and shown["binding:vnic_type"] == "normal"


def test_filters(api: Any, make: Any, net: Any) -> None:
    one = make("port", network_id=net["id"], name="one", device_id="d1")
    two = make("port", network_id=net["id"], name="two", device_id="d2")
    group = one["security_groups"][0]

    def names(query: str) -> list[str]:
        return sorted(p["name"] for p in api.get(f"/v2.0/ports?{query}").json["ports"])

    address = two["fixed_ips"][0]["ip_address"]
    assert names(f"fixed_ips=ip_address%3D{address}") == ["two"]
    assert names(f"fixed_ips=subnet_id%3D{net['subnet']}&device_id=d1&device_id=d2") == ["one", "two"]
    assert names("fixed_ips=ip_address_substr%3D.0.3") == ["one"]
    assert names(f"mac_address={one['mac_address'].upper()}") == ["one"]
    assert names(f"security_groups={group}") == ["one", "two"]
    assert names("device_id=d1") == ["one"] and names("status=ACTIVE") == [""]
    assert names("admin_state_up=false") == []
    assert api.get("/v2.0/ports?admin_state_up=x").status_code == 400
    (only,) = api.get("/v2.0/ports?name=one&fields=id&fields=name").json["ports"]
    assert only == {"id": one["id"], "name": "one"}


def test_extra_dhcp_options_are_merged(api: Any, make: Any, net: Any) -> None:
    options = [
        {"opt_name": "bootfile-name", "opt_value": "pxe.0"},
        {"opt_name": "router", "opt_value": ""},
        {"opt_name": "mtu", "opt_value": None},
        {"opt_name": "bootfile-url", "opt_value": "http://[fd00::1]/x", "ip_version": "6"},
    ]
    port = make("port", network_id=net["id"], extra_dhcp_opts=options)
    kept = [
        {"opt_name": "router", "opt_value": "", "ip_version": 4},
        {"opt_name": "bootfile-url", "opt_value": "http://[fd00::1]/x", "ip_version": 6},
    ]
    assert port["extra_dhcp_opts"] == [{**options[0], "ip_version": 4}, *kept]

    def change(given: Any) -> Any:
        return api.put(f"/v2.0/ports/{port['id']}", {"port": {"extra_dhcp_opts": given}}).json["port"]

    assert change(None)["extra_dhcp_opts"] == port["extra_dhcp_opts"], "what is not named stays"
    more = [{"opt_name": "bootfile-name", "opt_value": None}, {"opt_name": "42", "opt_value": "10.0.0.5"}]
    assert change(more)["extra_dhcp_opts"] == [*kept, {**more[1], "ip_version": 4}]
    many = [{"opt_name": str(code), "opt_value": "1"} for code in range(100, 164)]
    url = f"/v2.0/ports/{port['id']}"
    assert api.put(url, {"port": {"extra_dhcp_opts": many}}).status_code == 400, "with those that stay"
    assert make("port", network_id=net["id"])["extra_dhcp_opts"] == []
