"""Security groups in compute's older words."""

from typing import Any

import pytest

from tests.functional.conftest import Api

V = "/compute/v2.1"


def make(api: Api, name: str = "g") -> dict[str, Any]:
    made = api.post(f"{V}/os-security-groups", {"security_group": {"name": name, "description": "d"}})
    assert made.status_code == 200, made.text
    return dict(made.json["security_group"])


def test_a_group_from_beginning_to_end(api: Api) -> None:
    group = make(api, " g ")
    url = f"{V}/os-security-groups/{group['id']}"
    assert group["name"] == " g " and group["rules"] == []
    assert api.get(url).json["security_group"] == group
    assert {g["name"] for g in api.get(f"{V}/os-security-groups").json["security_groups"]} == {
        "default",
        " g ",
    }
    assert api.get(url, token="member@beta").status_code == 404
    changed = api.put(url, {"security_group": {"name": "h", "description": None}}).json["security_group"]
    assert (changed["name"], changed["description"]) == ("h", "")
    assert api.delete(url).status_code == 202
    assert api.get(url).status_code == 404
    assert (
        api.get(f"{V}/os-security-groups", headers={"OpenStack-API-Version": "compute 2.36"}).status_code
        == 404
    )


def test_rules(api: Api) -> None:
    group, other = make(api), make(api, "other")
    rule = {"parent_group_id": group["id"], "ip_protocol": "tcp", "from_port": 22, "to_port": 22}
    url = f"{V}/os-security-group-rules"

    def add(**change: Any) -> Any:
        return api.post(url, {"security_group_rule": {**rule, **change}})

    made = add().json["security_group_rule"]
    assert made["ip_range"] == {"cidr": "0.0.0.0/0"} and made["group"] == {}
    assert add(cidr="10.2.3.124/24").json["security_group_rule"]["ip_range"] == {"cidr": "10.2.3.124/24"}
    named = add(group_id=other["id"]).json["security_group_rule"]
    assert named["group"] == {"name": "other", "tenant_id": other["tenant_id"]} and named["ip_range"] == {}
    ping = add(ip_protocol="icmp", from_port=-1, to_port=-1).json["security_group_rule"]
    assert (ping["from_port"], ping["to_port"]) == (-1, -1)
    rules = api.get(f"{V}/os-security-groups/{group['id']}").json["security_group"]["rules"]
    assert [r["id"] for r in rules].count(made["id"]) == 1 and len(rules) == 4
    for bad in ({}, {"ip_protocol": "x"}, {"from_port": 23}, {"parent_group_id": "7"}, {"to_port": 65536}):
        assert add(**bad).status_code == 400, bad
    assert add(parent_group_id=made["id"]).status_code == 404
    assert api.delete(f"{url}/{made['id']}", token="member@beta").status_code == 404
    assert api.delete(f"{url}/{made['id']}").status_code == 202
    assert api.delete(f"{url}/{made['id']}").status_code == 404


@pytest.mark.parametrize("name", ["", " ", "a" * 256, 5])
def test_names_that_are_none(api: Api, name: Any) -> None:
    given = {"security_group": {"name": name, "description": "d"}}
    assert api.post(f"{V}/os-security-groups", given).status_code == 400


def test_the_groups_of_a_server(api: Api, body: dict[str, Any]) -> None:
    group = make(api)
    server = api.post(f"{V}/servers", body).json["server"]["id"]
    api.post(f"{V}/servers/{server}/action", {"addSecurityGroup": {"name": "g"}})
    found = api.get(f"{V}/servers/{server}/os-security-groups").json["security_groups"]
    assert [g["name"] for g in found] == ["default", "g"]
    assert {"name": "default", "tenant_id": group["tenant_id"]} in [r["group"] for r in found[0]["rules"]]
    refused = api.delete(f"{V}/os-security-groups/{group['id']}")
    assert refused.status_code == 400, refused.text
