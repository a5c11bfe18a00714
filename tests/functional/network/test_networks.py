"""Networks through the API."""

from typing import Any

import pytest


def test_created_shown_changed_and_deleted(api: Any, make: Any) -> None:
    network = make("network", name="one", description="d", dns_domain="example.org.")
    assert network["status"] == "ACTIVE" and network["mtu"] == 1450 and network["subnets"] == []
    assert network["project_id"] == network["tenant_id"] and network["tags"] == []
    assert network["created_at"] == network["updated_at"] and "provider:network_type" not in network
    url = f"/v2.0/networks/{network['id']}"
    changed = api.put(url, {"network": {"name": "two", "admin_state_up": False}}).json["network"]
    assert changed["name"] == "two" and changed["admin_state_up"] is False
    assert changed["revision_number"] == network["revision_number"] + 1
    assert api.get(url).json["network"] == changed
    assert api.delete(url).status_code == 204
    missing = api.get(url)
    assert missing.status_code == 404 and missing.json["NeutronError"]["type"] == "NetworkNotFound"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"nonsense": 1}, "HTTPBadRequest"),
        ({"id": "x"}, "HTTPBadRequest"),
        ({"name": 5}, None),
        ({"name": "x" * 256}, None),
        ({"admin_state_up": "perhaps"}, None),
        ({"mtu": 9000}, "InvalidInput"),
        ({"mtu": 60}, "InvalidInput"),
        ({"dns_domain": "bad\nname."}, None),
        ({"dns_domain": "no-dot"}, None),
        ({"project_id": "b" * 32, "tenant_id": "a" * 32}, "HTTPBadRequest"),
        ({"project_id": "b" * 32}, "HTTPBadRequest"),
    ],
)
def test_bad_values(api: Any, values: dict[str, Any], kind: str | None) -> None:
    answer = api.post("/v2.0/networks", {"network": values})
    assert answer.status_code == 400, answer.text
    assert kind is None or answer.json["NeutronError"]["type"] == kind


@pytest.mark.parametrize("body", [{}, [], {"network": []}, {"networks": []}, {"networks": [1]}, {"port": {}}])
def test_bad_bodies(api: Any, body: Any) -> None:
    assert api.post("/v2.0/networks", body).status_code == 400


def test_unknown_attributes_are_named(api: Any) -> None:
    answer = api.post("/v2.0/networks", {"network": {"foo": 1}})
    assert answer.json["NeutronError"]["message"] == "Unrecognized attribute(s) 'foo'"


def test_bulk(api: Any) -> None:
    answer = api.post("/v2.0/networks", {"networks": [{"name": "a"}, {"name": "b"}]})
    assert answer.status_code == 201
    assert [n["name"] for n in answer.json["networks"]] == ["a", "b"]
    refused = api.post("/v2.0/networks", {"networks": [{"name": "c"}, {"foo": 1}]})
    assert refused.status_code == 400
    assert len(api.get("/v2.0/networks").json["networks"]) == 2


def test_provider_attributes_are_for_admins(api: Any, make: Any) -> None:
    vlan = {
        "provider:network_type": "vlan",
        "provider:physical_network": "phys",
        "provider:segmentation_id": 7,
    }
    assert api.post("/v2.0/networks", {"network": vlan}).status_code == 403
    network = make("network", token="admin", **vlan)
    assert network["provider:segmentation_id"] == 7 and network["mtu"] == 1500
    taken = api.post("/v2.0/networks", {"network": vlan}, token="admin")
    assert taken.status_code == 409 and taken.json["NeutronError"]["type"] == "VlanIdInUse"
    assert make("network", token="admin")["provider:network_type"] == "vxlan"


@pytest.mark.parametrize(
    "provider",
    [
        {"provider:network_type": "gre"},
        {"provider:segmentation_id": 5},
        {"provider:network_type": "vlan", "provider:segmentation_id": 5},
        {"provider:network_type": "vlan", "provider:physical_network": "p", "provider:segmentation_id": 4095},
        {"provider:network_type": "vxlan", "provider:physical_network": "p"},
        {"provider:network_type": "vxlan", "provider:segmentation_id": 1 << 24},
        {"provider:network_type": "flat"},
        {"provider:network_type": "flat", "provider:physical_network": "p", "provider:segmentation_id": 5},
        {"provider:network_type": "local", "provider:physical_network": "p"},
    ],
)
def test_provider_attributes_that_do_not_go_together(api: Any, provider: dict[str, Any]) -> None:
    assert api.post("/v2.0/networks", {"network": provider}, token="admin").status_code == 400


def test_sharing(api: Any, make: Any) -> None:
    assert api.post("/v2.0/networks", {"network": {"shared": True}}).status_code == 403
    assert api.post("/v2.0/networks", {"network": {"router:external": True}}).status_code == 403
    shared = make("network", token="admin@admin", shared=True)
    make("subnet", token="admin@admin", network_id=shared["id"], ip_version=4, cidr="10.1.0.0/24")
    url = f"/v2.0/networks/{shared['id']}"
    assert api.get(url).status_code == 200 and len(api.get("/v2.0/subnets").json["subnets"]) == 1
    assert api.put(url, {"network": {"name": "mine"}}).status_code == 403
    assert api.delete(url).status_code == 403
    port = make("port", network_id=shared["id"])
    stays = api.put(url, {"network": {"shared": False}}, token="admin@admin")
    assert stays.status_code == 409 and stays.json["NeutronError"]["type"] == "InvalidSharedSetting"
    for chosen in (
        {"mac_address": "fa:16:3e:00:00:01"},
        {"fixed_ips": [{"ip_address": "10.1.0.77"}]},
        {"port_security_enabled": False},
        {"allowed_address_pairs": [{"ip_address": "10.1.0.1"}]},
    ):
        refused = api.post("/v2.0/ports", {"port": {"network_id": shared["id"], **chosen}})
        assert refused.status_code == 403, chosen
        assert api.put(f"/v2.0/ports/{port['id']}", {"port": chosen}).status_code == 403, chosen
    external = make("network", token="admin@admin", **{"router:external": True})
    assert api.post("/v2.0/ports", {"port": {"network_id": external["id"]}}).status_code == 403


def test_a_network_with_ports_is_not_deleted(api: Any, make: Any, net: Any) -> None:
    port = make("port", network_id=net["id"])
    refused = api.delete(f"/v2.0/networks/{net['id']}")
    assert refused.status_code == 409 and refused.json["NeutronError"]["type"] == "NetworkInUse"
    assert api.delete(f"/v2.0/ports/{port['id']}").status_code == 204
    assert api.delete(f"/v2.0/networks/{net['id']}").status_code == 204
    assert api.get("/v2.0/ports").json["ports"] == [] == api.get("/v2.0/subnets").json["subnets"]


def test_the_quota_is_409(api: Any, make: Any) -> None:
    api.put(f"/v2.0/quotas/{'a' * 32}", {"quota": {"network": 1}}, token="admin")
    make("network")
    refused = api.post("/v2.0/networks", {"network": {}})
    assert refused.status_code == 409 and refused.json["NeutronError"]["type"] == "OverQuota"
