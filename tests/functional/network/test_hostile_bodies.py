"""Odd values in every field of every body end in 4xx, never in 5xx (SECURITY.md 21, 22, 23)."""

from typing import Any

import pytest

from controller.network.address_groups.fields import ADDRESS_GROUP
from controller.network.floating_ips.fields import FLOATING_IP
from controller.network.networks.fields import NETWORK
from controller.network.port_forwardings.fields import PORT_FORWARDING
from controller.network.ports.fields import PORT
from controller.network.routers.fields import ROUTER
from controller.network.security_groups.default_rules.fields import DEFAULT_RULE
from controller.network.security_groups.fields import GROUP, RULE
from controller.network.subnets.fields import SUBNET

VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1 << 70,
    1.5,
    "",
    " ",
    "x" * 70000,
    "a\nb",
    "a\n",
    "a\x00b",
    "\U0001f600",
    "99999999999999999999999",
    "%(x)s",
    "10.0.0.0/8",
    "10.0.0.9",
    "fe80::1%eth0",
    "::",
    [],
    [None],
    [1],
    ["x"],
    [[]],
    {},
    [{}],
    {"x": {"y": [1 << 70]}},
    [{"ip_address": "fe80::1%eth0"}],
    [{"ip_address": 5, "subnet_id": None}],
    [{"start": "10.0.0.5", "end": "fd00::1"}],
    [{"destination": "10.0.0.0/255.0.0.0", "nexthop": "10.0.0.1"}],
]


def _odd(api: Any, path: str, fields: Any, base: dict[str, Any], url: str) -> None:
    for f in fields.fields:
        for value in VALUES:
            body = {fields.singular: {**base, f.name: value}}
            for token in ("member", "admin"):
                created = api.post(path, body, token=token)
                changed = api.put(url, {fields.singular: {f.name: value}}, token=token)
                assert created.status_code < 500, (f.name, value, created.text)
                assert changed.status_code < 500, (f.name, value, changed.text)
            if isinstance(value, str) and len(value) < 100:
                assert api.get(path, params={f.name: value}).status_code < 500, (f.name, value)


@pytest.fixture
def unlimited(api: Any) -> None:
    names = ("network", "subnet", "port", "security_group", "security_group_rule", "router", "floatingip")
    api.put(f"/v2.0/quotas/{'a' * 32}", {"quota": dict.fromkeys(names, -1)}, token="admin")


def test_networks(api: Any, unlimited: None, net: Any) -> None:
    _odd(api, "/v2.0/networks", NETWORK, {}, f"/v2.0/networks/{net['id']}")


def test_subnets(api: Any, unlimited: None, make: Any, net: Any) -> None:
    base = {"network_id": make("network")["id"], "ip_version": 4, "cidr": "10.0.0.0/24"}
    _odd(api, "/v2.0/subnets", SUBNET, base, f"/v2.0/subnets/{net['subnet']}")


def test_ports(api: Any, unlimited: None, make: Any, net: Any) -> None:
    port = make("port", network_id=net["id"])
    _odd(api, "/v2.0/ports", PORT, {"network_id": net["id"]}, f"/v2.0/ports/{port['id']}")
    for text in ("x", "ip_address", "ip_address=", "=x", "subnet_id=\x00", "ip_address_substr=%"):
        assert api.get("/v2.0/ports", params={"fixed_ips": text}).status_code == 200


def test_groups(api: Any, unlimited: None, make: Any) -> None:
    group = make("security_group", name="g")
    _odd(api, "/v2.0/security-groups", GROUP, {"name": "x"}, f"/v2.0/security-groups/{group['id']}")
    base = {"security_group_id": group["id"], "direction": "ingress"}
    rule = group["security_group_rules"][0]["id"]
    _odd(api, "/v2.0/security-group-rules", RULE, base, f"/v2.0/security-group-rules/{rule}")


def test_address_groups(api: Any, unlimited: None, make: Any) -> None:
    group = make("address_group")
    _odd(api, "/v2.0/address-groups", ADDRESS_GROUP, {}, f"/v2.0/address-groups/{group['id']}")


def test_default_rules(api: Any, unlimited: None) -> None:
    base = {"direction": "ingress"}
    path = "/v2.0/default-security-group-rules"
    _odd(api, path, DEFAULT_RULE, base, f"{path}/{'b' * 32}")
    assert api.post("/v2.0/security-groups", {"security_group": {"name": "x"}}).status_code == 201


def test_routers(api: Any, unlimited: None, make: Any, net: Any, outside: Any) -> None:
    router = make("router")
    url = f"/v2.0/routers/{router['id']}"
    assert api.put(f"{url}/add_router_interface", {"subnet_id": net["subnet"]}).status_code == 200
    _odd(api, "/v2.0/routers", ROUTER, {}, url)
    for value in VALUES:
        odd = {"network_id": outside["id"], "enable_snat": value, "external_fixed_ips": value}
        for info in (odd, {"network_id": value}):
            body = {"router": {"external_gateway_info": info}}
            assert api.put(url, body, token="admin").status_code < 500, value
        for verb in ("add", "remove"):
            for interface in (value, {"subnet_id": value}, {"port_id": value}):
                answer = api.put(f"{url}/{verb}_router_interface", interface)
                assert answer.status_code < 500, (verb, interface)
            for body in (value, {"router": value}, {"router": {"routes": value}}):
                assert api.put(f"{url}/{verb}_extraroutes", body).status_code < 500, (verb, body)


def test_floating_ips(api: Any, unlimited: None, make: Any, net: Any, outside: Any) -> None:
    router = make("router", external_gateway_info={"network_id": outside["id"]})
    api.put(f"/v2.0/routers/{router['id']}/add_router_interface", {"subnet_id": net["subnet"]})
    base = {"floating_network_id": outside["id"]}
    floating_ip, port = make("floatingip", **base), make("port", network_id=net["id"])
    url = f"/v2.0/floatingips/{floating_ip['id']}"
    forwarding = {
        "internal_port_id": port["id"],
        "internal_port": 1,
        "external_port": 1,
        "protocol": "tcp",
    }
    made = api.post(f"{url}/port_forwardings", {"port_forwarding": forwarding}).json["port_forwarding"]
    forwardings = f"{url}/port_forwardings"
    _odd(api, forwardings, PORT_FORWARDING, forwarding, f"{forwardings}/{made['id']}")
    _odd(api, "/v2.0/floatingips", FLOATING_IP, base, url)


@pytest.mark.parametrize(
    "query",
    [
        "limit=99999999999999999999",
        "marker=%00",
        "sort_key=%00",
        "fields=%ff",
        "tags=%ff&not-tags=,",
        "id=%ff",
    ],
)
def test_queries(api: Any, query: str) -> None:
    assert api.get(f"/v2.0/networks?{query}").status_code < 500


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff", b"[" * 5000, b'{"network": {"name": "\\ud800"}}', b"null", b"5"]
)
def test_raw_bodies(api: Any, raw: bytes) -> None:
    answer = api._client.simulate_post(
        "/v2.0/networks", body=raw, headers={"X-Auth-Token": "member", "Content-Type": "application/json"}
    )
    assert answer.status_code == 400, answer.text
