"""QoS policies, their rules, and what they are laid on, through the API."""

from typing import Any

import pytest

from controller.network import documents
from controller.network.ports.model import Port


@pytest.fixture
def policy(api: Any) -> dict[str, Any]:
    """A policy of alpha's."""
    return _policy(api, name="slow", description="d")


def _policy(api: Any, token: str = "manager", **values: Any) -> dict[str, Any]:
    answer = api.post("/v2.0/qos/policies", {"policy": values}, token=token)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json["policy"]
    return found


def _rule(api: Any, policy: dict[str, Any], kind: str, **values: Any) -> dict[str, Any]:
    url = f"/v2.0/qos/policies/{policy['id']}/{kind}_rules"
    answer = api.post(url, {f"{kind}_rule": values}, token="manager")
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json[f"{kind}_rule"]
    return found


def _limits(db: Any, port_id: str) -> dict[tuple[str, str], tuple[int, int]]:
    """What the port's host is told."""
    with db.read() as session:
        host = session.get_one(Port, port_id).binding_host
        document: Any = documents.DOCUMENTS["port"].render(session, host, port_id)
    return {(limit.direction, limit.unit): (limit.rate, limit.burst) for limit in document.limits}


def test_a_policy_lives(api: Any, policy: Any) -> None:
    assert policy["shared"] is False and policy["is_default"] is False and policy["rules"] == []
    url = f"/v2.0/qos/policies/{policy['id']}"
    changed = api.put(url, {"policy": {"name": "n", "shared": True}}, token="manager").json["policy"]
    assert (
        changed["name"] == "n"
        and changed["shared"]
        and changed["revision_number"] > policy["revision_number"]
    )
    assert api.get(url, token="member@beta").status_code == 200, "it is shared"
    assert api.put(f"{url}/tags", {"tags": ["gold"]}).json["tags"] == ["gold"]
    (found,) = api.get("/v2.0/qos/policies?tags=gold&shared=True").json["policies"]
    assert found["id"] == policy["id"] and found["tags"] == ["gold"]
    assert api.delete(url, token="manager").status_code == 204
    assert api.get(url).json["NeutronError"]["type"] == "QosPolicyNotFound"


def test_members_may_look_and_managers_change(api: Any, policy: Any) -> None:
    url = f"/v2.0/qos/policies/{policy['id']}"
    assert api.get(url).status_code == 200
    assert api.post("/v2.0/qos/policies", {"policy": {}}).status_code == 403
    assert api.put(url, {"policy": {"name": "x"}}).status_code == 403
    assert api.get(url, token="member@beta").status_code == 404


def test_a_project_has_one_default_and_its_networks_get_it(api: Any, make: Any) -> None:
    default = _policy(api, is_default=True)
    again = api.post("/v2.0/qos/policies", {"policy": {"is_default": True}}, token="manager")
    assert again.status_code == 409 and again.json["NeutronError"]["type"] == "QoSPolicyDefaultAlreadyExists"
    network = make("network")
    assert network["qos_policy_id"] == default["id"]
    port = make("port", network_id=network["id"])
    assert port["qos_policy_id"] is None and port["qos_network_policy_id"] == default["id"]


RULES = [
    ("bandwidth_limit", {"max_kbps": 1000}, {"max_burst_kbps": 0, "direction": "egress"}),
    ("packet_rate_limit", {"max_kpps": 3, "direction": "ingress"}, {"max_burst_kpps": 0}),
    ("dscp_marking", {"dscp_mark": 26}, {}),
]


@pytest.mark.parametrize(("kind", "values", "filled"), RULES)
def test_rules_live_below_their_policy(api: Any, policy: Any, kind: str, values: Any, filled: Any) -> None:
    rule = _rule(api, policy, kind, **values)
    assert rule == {"id": rule["id"], **values, **filled}
    (shown,) = api.get(f"/v2.0/qos/policies/{policy['id']}").json["policy"]["rules"]
    assert shown == {**rule, "qos_policy_id": policy["id"], "type": kind}
    rules = f"/v2.0/qos/policies/{policy['id']}/{kind}_rules"
    assert api.get(rules).json[f"{kind}_rules"] == [rule]
    second = api.post(rules, {f"{kind}_rule": values}, token="manager")
    assert second.status_code == 409 and second.json["NeutronError"]["type"] == "QoSRulesConflict"
    url = f"{rules}/{rule['id']}"
    name = next(iter(values))
    assert api.put(url, {f"{kind}_rule": {name: 8}}, token="manager").json[f"{kind}_rule"][name] == 8
    assert api.get(url).json[f"{kind}_rule"][name] == 8
    assert api.delete(url, token="manager").status_code == 204
    assert api.get(url).json["NeutronError"]["type"] == "QosRuleNotFound"


@pytest.mark.parametrize("words", ["alias_bandwidth_limit_rules", "alias-bandwidth-limit-rules"])
def test_rules_have_urls_of_their_own(api: Any, policy: Any, words: str) -> None:
    rule = _rule(api, policy, "bandwidth_limit", max_kbps=5)
    url = f"/v2.0/qos/{words}/{rule['id']}"
    assert api.get(url).json["alias_bandwidth_limit_rule"] == rule
    body = {"alias_bandwidth_limit_rule": {"max_kbps": 6}}
    assert api.put(url, body, token="manager").json["alias_bandwidth_limit_rule"]["max_kbps"] == 6
    assert api.get(url, token="member@beta").status_code == 404
    assert api.delete(url, token="manager").status_code == 204 and api.get(url).status_code == 404


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bandwidth_limit", {"max_kbps": -1}),
        ("bandwidth_limit", {"max_kbps": 1 << 31}),
        ("bandwidth_limit", {"max_kbps": 1, "direction": "both"}),
        ("bandwidth_limit", {"max_burst_kbps": 1}),
        ("dscp_marking", {"dscp_mark": 1}),
        ("packet_rate_limit", {"max_kpps": "many"}),
    ],
)
def test_odd_rules_are_refused(api: Any, policy: Any, kind: str, values: Any) -> None:
    url = f"/v2.0/qos/policies/{policy['id']}/{kind}_rules"
    assert api.post(url, {f"{kind}_rule": values}, token="manager").status_code == 400


def test_rule_types(api: Any) -> None:
    listed = api.get("/v2.0/qos/rule-types?all_supported=True").json["rule_types"]
    assert {found["type"] for found in listed} == {kind for kind, _, _ in RULES}
    url = "/v2.0/qos/rule-types/dscp_marking"
    told = api.get(url, token="admin").json["rule_type"]
    assert told["drivers"][0]["supported_parameters"][0]["parameter_name"] == "dscp_mark"
    assert api.get(url).status_code == 403
    assert api.get("/v2.0/qos/rule-types/nonsense", token="admin").status_code == 404


def test_a_policy_in_use_stays(api: Any, make: Any, net: Any, policy: Any) -> None:
    port = make("port", network_id=net["id"], qos_policy_id=policy["id"])
    assert port["qos_policy_id"] == policy["id"]
    url = f"/v2.0/qos/policies/{policy['id']}"
    refused = api.delete(url, token="manager")
    assert refused.status_code == 409 and refused.json["NeutronError"]["type"] == "QosPolicyInUse"
    bare = api.put(f"/v2.0/ports/{port['id']}", {"port": {"qos_policy_id": None}}).json["port"]
    assert bare["qos_policy_id"] is None
    assert api.delete(url, token="manager").status_code == 204


def test_a_policy_of_others_is_not_laid_on(api: Any, make: Any, net: Any) -> None:
    foreign = _policy(api, token="admin@admin")
    body = {"port": {"network_id": net["id"], "qos_policy_id": foreign["id"]}}
    refused = api.post("/v2.0/ports", body)
    assert refused.status_code == 404 and refused.json["NeutronError"]["type"] == "QosPolicyNotFound"
    body = {"network": {"qos_policy_id": foreign["id"]}}
    assert api.put(f"/v2.0/networks/{net['id']}", body).status_code == 404
    assert api.put(f"/v2.0/networks/{net['id']}", body, token="admin").status_code == 200
    away = api.put(f"/v2.0/networks/{net['id']}", {"network": {"qos_policy_id": None}})
    assert away.json["NeutronError"]["type"] == "PolicyRemoveAuthorizationError" and away.status_code == 403


def test_hosts_are_told_of_a_ports_policy_or_of_its_networks(
    api: Any, make: Any, db: Any, net: Any, policy: Any
) -> None:
    other = _policy(api)
    _rule(api, policy, "bandwidth_limit", max_kbps=1000)
    _rule(api, policy, "packet_rate_limit", max_kpps=2, max_burst_kpps=1, direction="ingress")
    _rule(api, other, "bandwidth_limit", max_kbps=7, direction="ingress")
    port = make("port", network_id=net["id"], token="admin", **{"binding:host_id": "h1"})
    assert _limits(db, port["id"]) == {}
    api.put(f"/v2.0/networks/{net['id']}", {"network": {"qos_policy_id": policy["id"]}})
    assert _limits(db, port["id"]) == {("egress", "kbps"): (1000, 800), ("ingress", "pktps"): (2000, 1000)}
    api.put(f"/v2.0/ports/{port['id']}", {"port": {"qos_policy_id": other["id"]}}, token="admin")
    assert _limits(db, port["id"]) == {("ingress", "kbps"): (7, 5)}


def test_changed_rules_are_told_to_all_that_have_them(
    api: Any, make: Any, db: Any, net: Any, policy: Any
) -> None:
    inherits = make("port", network_id=net["id"], token="admin", **{"binding:host_id": "h1"})
    own = make("port", network_id=net["id"], token="admin", **{"binding:host_id": "h1"})
    loose = make("port", network_id=net["id"])
    other = _policy(api)
    api.put(f"/v2.0/networks/{net['id']}", {"network": {"qos_policy_id": policy["id"]}})
    api.put(f"/v2.0/ports/{own['id']}", {"port": {"qos_policy_id": other["id"]}}, token="admin")
    with db.read() as session:
        keys = {key.id for key in documents.DEPENDENTS["qos_policy"](session, policy["id"])}
        theirs = {key.id for key in documents.DEPENDENTS["qos_policy"](session, other["id"])}
    assert inherits["id"] in keys and own["id"] not in keys and loose["id"] not in keys
    assert theirs == {own["id"]}


def test_floating_ips_and_gateways_have_policies(
    api: Any, make: Any, db: Any, outside: Any, policy: Any
) -> None:
    _rule(api, policy, "bandwidth_limit", max_kbps=100)
    _rule(api, policy, "packet_rate_limit", max_kpps=2)
    floating = make("floatingip", floating_network_id=outside["id"], qos_policy_id=policy["id"])
    assert floating["qos_policy_id"] == policy["id"] and floating["qos_network_policy_id"] is None
    gateway = {"network_id": outside["id"], "qos_policy_id": policy["id"]}
    router = make("router", external_gateway_info=gateway)
    assert router["external_gateway_info"]["qos_policy_id"] == policy["id"]
    url = f"/v2.0/routers/{router['id']}"
    same = {"router": {"external_gateway_info": {"network_id": outside["id"]}}}
    assert api.put(url, same).json["router"]["external_gateway_info"]["qos_policy_id"] == policy["id"]
    with db.read() as session:
        keys = {key.id for key in documents.DEPENDENTS["qos_policy"](session, policy["id"])}
    assert router["id"] in keys
    none = {"router": {"external_gateway_info": {"network_id": outside["id"], "qos_policy_id": None}}}
    assert api.put(url, none).json["router"]["external_gateway_info"]["qos_policy_id"] is None
    bare = api.put(f"/v2.0/floatingips/{floating['id']}", {"floatingip": {"qos_policy_id": None}})
    assert bare.json["floatingip"]["qos_policy_id"] is None
    assert api.delete(f"/v2.0/qos/policies/{policy['id']}", token="manager").status_code == 204


def test_who_is_told_costs_the_same_however_many_networks(
    api: Any, make: Any, db: Any, policy: Any, queries: Any
) -> None:
    def count() -> int:
        make("network", qos_policy_id=policy["id"])
        with db.read() as session, queries() as seen:
            documents.DEPENDENTS["qos_policy"](session, policy["id"])
        return len(seen)

    assert count() == count() == count()
