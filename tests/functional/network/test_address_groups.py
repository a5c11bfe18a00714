"""Address groups through the API, in rules, and on hosts."""

from typing import Any

import pytest

from contract.document import Key
from contract.kinds import decode
from controller.db.session import Database
from tests.fakes.fake_cloud import FakeCloud


@pytest.fixture
def group(make: Any) -> dict[str, Any]:
    """An address group with two prefixes."""
    found: dict[str, Any] = make("address_group", name="office", addresses=["192.0.2.0/24", "fd00:9::1/128"])
    return found


def _rule(make: Any, **values: Any) -> dict[str, Any]:
    security_group = make("security_group", name="g")
    found: dict[str, Any] = make(
        "security_group_rule", security_group_id=security_group["id"], direction="ingress", **values
    )
    return found


def test_addresses_are_added_and_removed(api: Any, group: Any) -> None:
    url = f"/v2.0/address-groups/{group['id']}"
    assert group["addresses"] == ["192.0.2.0/24", "fd00:9::1/128"] and group["shared"] is False
    more = api.put(f"{url}/add_addresses", {"addresses": ["10.1.2.3", "10.0.0.9/8"]})
    assert more.status_code == 200
    assert more.json["address_group"]["addresses"] == [
        "10.0.0.0/8",
        "10.1.2.3/32",
        "192.0.2.0/24",
        "fd00:9::1/128",
    ]
    assert more.json["address_group"]["revision_number"] > group["revision_number"]
    again = api.put(f"{url}/add_addresses", {"addresses": ["192.0.2.7/24"]})
    assert again.status_code == 400 and again.json["NeutronError"]["type"] == "AddressesAlreadyExist"
    fewer = api.put(f"{url}/remove_addresses", {"addresses": ["10.0.0.0/8", "10.1.2.3/32"]})
    assert fewer.json["address_group"]["addresses"] == group["addresses"]
    absent = api.put(f"{url}/remove_addresses", {"addresses": ["10.1.2.3/32"]})
    assert absent.status_code == 404 and absent.json["NeutronError"]["type"] == "AddressesNotFound"
    renamed = api.put(url, {"address_group": {"name": "n", "description": "d"}}).json["address_group"]
    assert (renamed["name"], renamed["description"], renamed["addresses"]) == ("n", "d", group["addresses"])
    assert api.put(url, {"address_group": {"addresses": []}}).status_code == 400
    (found,) = api.get("/v2.0/address-groups?name=n").json["address_groups"]
    assert found == renamed
    assert api.delete(url).status_code == 204 and api.get(url).status_code == 404


@pytest.mark.parametrize("odd", ["x", "fe80::1%eth0", "10.0.0.0/33", "", 5, None, "10.0.0.1\n"])
def test_what_is_no_address(api: Any, group: Any, odd: Any) -> None:
    assert api.post("/v2.0/address-groups", {"address_group": {"addresses": [odd]}}).status_code == 400
    for verb in ("add", "remove"):
        url = f"/v2.0/address-groups/{group['id']}/{verb}_addresses"
        for body in ({"addresses": [odd]}, {"addresses": odd}, odd, {}):
            assert api.put(url, body).status_code == 400, (verb, body)


def test_a_group_has_an_end(api: Any, make: Any) -> None:
    many = [f"10.{n >> 8}.{n & 255}.0/24" for n in range(1000)]
    group = make("address_group", addresses=many)
    url = f"/v2.0/address-groups/{group['id']}/add_addresses"
    assert api.put(url, {"addresses": ["192.0.2.0/24"]}).status_code == 400


def test_rules_name_one_remote(api: Any, make: Any, group: Any) -> None:
    rule = _rule(make, remote_address_group_id=group["id"])
    assert rule["remote_address_group_id"] == group["id"] and rule["remote_group_id"] is None
    used = api.delete(f"/v2.0/address-groups/{group['id']}")
    assert used.status_code == 409 and used.json["NeutronError"]["type"] == "AddressGroupInUse"
    same = {name: rule[name] for name in ("security_group_id", "direction", "remote_address_group_id")}
    url = "/v2.0/security-group-rules"
    assert (
        api.post(url, {"security_group_rule": same}).json["NeutronError"]["type"] == "SecurityGroupRuleExists"
    )
    for other in ({"remote_ip_prefix": "10.0.0.0/8"}, {"remote_group_id": rule["security_group_id"]}):
        both = api.post(url, {"security_group_rule": {**same, **other}})
        assert both.json["NeutronError"]["type"] == "SecurityGroupMultipleRemoteEntites"
    absent = api.post(url, {"security_group_rule": {**same, "remote_address_group_id": "b" * 32}})
    assert absent.status_code == 404 and absent.json["NeutronError"]["type"] == "AddressGroupNotFound"
    foreign = make("address_group", token="member@beta")
    hidden = api.post(url, {"security_group_rule": {**same, "remote_address_group_id": foreign["id"]}})
    assert hidden.status_code == 404
    assert api.delete(f"{url}/{rule['id']}").status_code == 204
    assert api.delete(f"/v2.0/address-groups/{group['id']}").status_code == 204


def test_hosts_have_the_groups_that_rules_of_their_ports_name(
    api: Any, make: Any, net: Any, group: Any, db: Database
) -> None:
    cloud = FakeCloud(db)
    one, two = cloud.add_host("one"), cloud.add_host("two")
    key = Key("address_group", group["id"])
    rule = _rule(make, remote_address_group_id=group["id"])
    groups = [rule["security_group_id"]]
    make("port", token="admin", network_id=net["id"], security_groups=groups, **{"binding:host_id": "one"})
    cloud.outbox.flush()
    assert decode(one.held[key]).addresses == tuple(group["addresses"]) and key not in two.held  # type: ignore[attr-defined]
    before = {k: e.digest for k, e in one.held.items()}
    api.put(f"/v2.0/address-groups/{group['id']}/add_addresses", {"addresses": ["203.0.113.0/24"]})
    cloud.outbox.flush()
    changed = {k for k, e in one.held.items() if before.get(k) != e.digest}
    assert changed == {key}, "the group alone is told anew"
    api.delete(f"/v2.0/security-group-rules/{rule['id']}")
    cloud.outbox.flush()
    assert key not in one.held


def test_a_port_that_goes_takes_the_group_with_it(
    api: Any, make: Any, net: Any, group: Any, db: Database
) -> None:
    cloud = FakeCloud(db)
    host = cloud.add_host("one")
    rule = _rule(make, remote_address_group_id=group["id"])
    groups = [rule["security_group_id"]]
    port = make(
        "port", token="admin", network_id=net["id"], security_groups=groups, **{"binding:host_id": "one"}
    )
    cloud.outbox.flush()
    assert Key("address_group", group["id"]) in host.held
    assert api.delete(f"/v2.0/ports/{port['id']}", token="admin").status_code == 204
    cloud.outbox.flush()
    assert Key("address_group", group["id"]) not in host.held
    assert api.delete(f"/v2.0/security-groups/{groups[0]}").status_code == 204
    assert api.delete(f"/v2.0/address-groups/{group['id']}").status_code == 204
