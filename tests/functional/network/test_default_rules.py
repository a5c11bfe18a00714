"""Rules that new security groups begin with."""

from typing import Any

URL = "/v2.0/default-security-group-rules"


def _rules(group: dict[str, Any]) -> set[tuple[Any, ...]]:
    names = ("direction", "ethertype", "protocol", "remote_ip_prefix", "remote_group_id")
    return {
        tuple("own" if rule[n] == group["id"] else rule[n] for n in names)
        for rule in group["security_group_rules"]
    }


def _make(api: Any, **values: Any) -> Any:
    return api.post(URL, {"default_security_group_rule": values}, token="admin")


def test_the_first_ones_are_what_groups_always_began_with(api: Any) -> None:
    found = api.get(URL).json["default_security_group_rules"]
    told = {
        (
            r["direction"],
            r["ethertype"],
            r["remote_group_id"],
            r["used_in_default_sg"],
            r["used_in_non_default_sg"],
        )
        for r in found
    }
    assert told == {
        ("egress", "IPv4", None, True, True),
        ("egress", "IPv6", None, True, True),
        ("ingress", "IPv4", "PARENT", True, False),
        ("ingress", "IPv6", "PARENT", True, False),
    }
    assert len(api.get(f"{URL}?used_in_non_default_sg=true").json["default_security_group_rules"]) == 2
    assert "project_id" not in found[0] and api.get(f"{URL}/{found[0]['id']}").status_code == 200


def test_groups_made_from_now_on_have_the_rules(api: Any, make: Any) -> None:
    before = make("security_group", name="before")
    ssh = _make(api, direction="ingress", protocol="tcp", port_range_min=22, port_range_max=22)
    assert ssh.status_code == 201
    assert ssh.json["default_security_group_rule"]["used_in_default_sg"] is False
    own = _make(
        api,
        direction="ingress",
        protocol="udp",
        remote_group_id="PARENT",
        used_in_default_sg=True,
        used_in_non_default_sg=False,
    )
    assert own.status_code == 201
    again = _make(api, direction="ingress", protocol="6", port_range_min=22, port_range_max=22)
    assert again.status_code == 409
    assert again.json["NeutronError"]["type"] == "DefaultSecurityGroupRuleExists"
    after = make("security_group", name="after")
    assert _rules(after) - _rules(before) == {("ingress", "IPv4", "tcp", None, None)}
    (default,) = api.get("/v2.0/security-groups?name=default", token="member@beta").json["security_groups"]
    assert ("ingress", "IPv4", "udp", None, "own") in _rules(default)
    assert ("ingress", "IPv4", "tcp", None, None) not in _rules(default)

    url = f"{URL}/{ssh.json['default_security_group_rule']['id']}"
    assert api.put(url, {"default_security_group_rule": {}}, token="admin").status_code == 405
    assert api.delete(url, token="admin").status_code == 204 and api.get(url).status_code == 404
    assert _rules(make("security_group", name="last")) == _rules(before)
    assert _rules(api.get(f"/v2.0/security-groups/{after['id']}").json["security_group"]) == _rules(after)


def test_the_first_ones_stay_deleted(api: Any, make: Any) -> None:
    for rule in api.get(URL).json["default_security_group_rules"]:
        assert api.delete(f"{URL}/{rule['id']}", token="admin").status_code == 204
    assert api.get(URL).json["default_security_group_rules"] == []
    assert make("security_group", name="bare")["security_group_rules"] == []


def test_what_is_named_must_be_there(api: Any, make: Any) -> None:
    assert _make(api, direction="ingress", remote_group_id="b" * 32).status_code == 404
    assert _make(api, direction="ingress", remote_address_group_id="b" * 32).status_code == 404
    assert _make(api, direction="ingress", port_range_min=5).status_code == 400
    group, named = make("security_group", name="friends"), make("address_group", addresses=["192.0.2.0/24"])
    assert _make(api, direction="ingress", remote_group_id=group["id"]).status_code == 201
    rule = _make(api, direction="ingress", remote_address_group_id=named["id"])
    assert rule.status_code == 201
    assert api.delete(f"/v2.0/address-groups/{named['id']}").status_code == 409
    made = make("security_group", name="new")
    assert {r["remote_address_group_id"] for r in made["security_group_rules"]} == {None, named["id"]}
    assert api.delete(f"/v2.0/security-groups/{group['id']}").status_code == 204
    assert len(make("security_group", name="newer")["security_group_rules"]) == 3


def test_how_routers_are_carried(api: Any) -> None:
    url = "/v2.0/service-providers"
    (provider,) = api.get(url).json["service_providers"]
    assert provider == {"service_type": "L3_ROUTER_NAT", "name": "single_node", "default": True}
    assert api.get(f"{url}?default=false&name=single_node").json["service_providers"] == []
    assert api.get(f"{url}?fields=name").json["service_providers"] == [{"name": "single_node"}]
