"""Security groups and rules through the API."""

from typing import Any

import pytest


@pytest.fixture
def group(make: Any) -> dict[str, Any]:
    found: dict[str, Any] = make("security_group", name="web", description="d")
    return found


def test_a_new_group_lets_all_out(api: Any, group: Any) -> None:
    assert group["stateful"] is True
    assert {(r["direction"], r["ethertype"]) for r in group["security_group_rules"]} == {
        ("egress", "IPv4"),
        ("egress", "IPv6"),
    }
    url = f"/v2.0/security-groups/{group['id']}"
    changed = api.put(url, {"security_group": {"name": "n", "description": ""}}).json["security_group"]
    assert changed["name"] == "n" and len(changed["security_group_rules"]) == 2
    assert api.delete(url).status_code == 204 and api.get(url).status_code == 404


def test_the_default_group_stays(api: Any, make: Any) -> None:
    (default,) = api.get("/v2.0/security-groups").json["security_groups"]
    url = f"/v2.0/security-groups/{default['id']}"
    assert api.delete(url).json["NeutronError"]["type"] == "SecurityGroupCannotRemoveDefault"
    renamed = api.put(url, {"security_group": {"name": "x"}})
    assert renamed.status_code == 409
    again = api.post("/v2.0/security-groups", {"security_group": {"name": "default"}})
    assert again.json["NeutronError"]["type"] == "SecurityGroupDefaultAlreadyExists"
    assert api.delete(url, token="admin").status_code == 204
    assert len(api.get("/v2.0/security-groups").json["security_groups"]) == 1


def test_a_group_in_use_is_not_deleted(api: Any, make: Any, net: Any, group: Any) -> None:
    make("port", network_id=net["id"], security_groups=[group["id"]])
    refused = api.delete(f"/v2.0/security-groups/{group['id']}")
    assert refused.status_code == 409 and refused.json["NeutronError"]["type"] == "SecurityGroupInUse"


def test_rules(api: Any, make: Any, group: Any) -> None:
    rule = make(
        "security_group_rule",
        security_group_id=group["id"],
        direction="ingress",
        protocol="TCP",
        port_range_min="80",
        port_range_max=90,
        remote_ip_prefix="10.0.0.5/8",
    )
    assert rule["protocol"] == "tcp" and rule["ethertype"] == "IPv4" and rule["port_range_min"] == 80
    assert rule["remote_ip_prefix"] == "10.0.0.5/8" and rule["normalized_cidr"] == "10.0.0.0/8"
    body = {n: rule[n] for n in ("security_group_id", "direction", "port_range_min", "port_range_max")}
    same = api.post(
        "/v2.0/security-group-rules",
        {"security_group_rule": {**body, "protocol": "6", "remote_ip_prefix": "10.0.0.5/8"}},
    )
    assert same.status_code == 409 and same.json["NeutronError"]["type"] == "SecurityGroupRuleExists"
    url = f"/v2.0/security-group-rules/{rule['id']}"
    assert api.put(url, {"security_group_rule": {}}).status_code == 405
    assert api.delete(url).status_code == 204 and api.get(url).status_code == 404
    wide = make(
        "security_group_rule",
        security_group_id=group["id"],
        direction="egress",
        protocol="icmp",
        ethertype="ipv6",
    )
    assert wide["protocol"] == "ipv6-icmp" and wide["ethertype"] == "IPv6"


@pytest.mark.parametrize(
    ("values", "status", "kind"),
    [
        ({"direction": "sideways"}, 400, None),
        ({"ethertype": "IPv5"}, 400, None),
        ({"protocol": "nonsense"}, 400, "SecurityGroupRuleInvalidProtocol"),
        ({"protocol": 256}, 400, "SecurityGroupRuleInvalidProtocol"),
        ({"protocol": "-1"}, 400, "SecurityGroupRuleInvalidProtocol"),
        ({"protocol": "icmpv6"}, 400, "SecurityGroupEthertypeConflictWithProtocol"),
        ({"port_range_min": 80, "port_range_max": 80}, 400, "SecurityGroupProtocolRequiredWithPorts"),
        (
            {"protocol": "tcp", "port_range_min": 90, "port_range_max": 80},
            400,
            "SecurityGroupInvalidPortRange",
        ),
        ({"protocol": "tcp", "port_range_min": 90}, 400, "SecurityGroupInvalidPortRange"),
        (
            {"protocol": "tcp", "port_range_min": 0, "port_range_max": 80},
            400,
            "SecurityGroupInvalidPortValue",
        ),
        ({"protocol": "tcp", "port_range_min": 80, "port_range_max": 65536}, 400, None),
        ({"protocol": "icmp", "port_range_min": 256}, 400, "SecurityGroupInvalidIcmpValue"),
        ({"protocol": "icmp", "port_range_max": 5}, 400, "SecurityGroupMissingIcmpType"),
        ({"protocol": "ospf", "port_range_min": 5}, 400, "SecurityGroupInvalidProtocolForPort"),
        ({"remote_ip_prefix": "nonsense"}, 400, None),
        ({"remote_ip_prefix": "fd00::/8"}, 400, "SecurityGroupRuleParameterConflict"),
        ({"remote_group_id": "b" * 32}, 404, "SecurityGroupNotFound"),
        ({"remote_group_id": "nonsense"}, 404, "SecurityGroupNotFound"),
        ({"security_group_id": "b" * 32}, 404, "SecurityGroupNotFound"),
        ({"nonsense": 1}, 400, "HTTPBadRequest"),
    ],
)
def test_bad_rules(api: Any, group: Any, values: dict[str, Any], status: int, kind: str | None) -> None:
    body = {"security_group_id": group["id"], "direction": "ingress", **values}
    answer = api.post("/v2.0/security-group-rules", {"security_group_rule": body})
    assert answer.status_code == status, answer.text
    assert kind is None or answer.json["NeutronError"]["type"] == kind


def test_prefix_and_group_exclude_each_other(api: Any, group: Any) -> None:
    body = {
        "security_group_id": group["id"],
        "direction": "ingress",
        "remote_group_id": group["id"],
        "remote_ip_prefix": "10.0.0.0/8",
    }
    assert api.post("/v2.0/security-group-rules", {"security_group_rule": body}).status_code == 400


def test_rules_that_name_a_group_go_with_it(api: Any, make: Any, group: Any) -> None:
    remote = make("security_group", name="remote")
    make(
        "security_group_rule",
        security_group_id=group["id"],
        direction="ingress",
        remote_group_id=remote["id"],
    )
    assert api.delete(f"/v2.0/security-groups/{remote['id']}").status_code == 204
    shown = api.get(f"/v2.0/security-groups/{group['id']}").json["security_group"]
    assert len(shown["security_group_rules"]) == 2


def test_rules_in_bulk(api: Any, group: Any) -> None:
    rules = [
        {
            "security_group_id": group["id"],
            "direction": "ingress",
            "protocol": "udp",
            "port_range_min": n,
            "port_range_max": n,
        }
        for n in (53, 123)
    ]
    answer = api.post("/v2.0/security-group-rules", {"security_group_rules": rules})
    assert answer.status_code == 201 and len(answer.json["security_group_rules"]) == 2


def test_many_rules_at_once_cost_no_more_questions_than_one(
    api: Any, make: Any, group: Any, queries: Any
) -> None:
    """All or none; two that are the same are refused wherever they stand."""
    body = {"security_group_id": group["id"], "direction": "ingress", "protocol": "tcp"}
    rules = [{**body, "port_range_min": n, "port_range_max": n} for n in range(80, 120)]
    url = "/v2.0/security-group-rules"
    with queries() as few:
        api.post(url, {"security_group_rules": [{**body, "port_range_min": 22, "port_range_max": 22}]})
    with queries() as many:
        assert len(api.post(url, {"security_group_rules": rules}).json["security_group_rules"]) == 40
    assert len(many) <= len(few)
    again = [{**body, "port_range_min": 200, "port_range_max": 200}] * 2
    for wrong in (again, [{**body, "port_range_min": 201, "port_range_max": 201}, rules[5]]):
        refused = api.post(url, {"security_group_rules": wrong})
        assert refused.status_code == 409
        assert refused.json["NeutronError"]["type"] == "SecurityGroupRuleExists"
    shown = api.get(f"/v2.0/security-groups/{group['id']}").json["security_group"]["security_group_rules"]
    assert len(shown) == 2 + 1 + 40, "nothing of what was refused is there"
