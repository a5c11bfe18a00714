"""Policies of access: who sees and uses what is another's, and for how long."""

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., dict[str, Any]]
ALPHA, BETA, NOBODY = "a" * 32, "b" * 32, "d" * 32


@pytest.fixture
def open_to(api: Any) -> Callable[..., dict[str, Any]]:
    """``open_to(BETA, "network", id)`` makes a policy and returns it."""

    def make(target: str, kind: str, row_id: str, token: str = "member", **values: Any) -> dict[str, Any]:
        answer = _create(api, target, kind, row_id, token, **values)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json["rbac_policy"]
        return found

    return make


def _create(api: Any, target: str, kind: str, row_id: str, token: str = "member", **values: Any) -> Any:
    body = {"object_type": kind, "object_id": row_id, "action": "access_as_shared", "target_tenant": target}
    return api.post("/v2.0/rbac-policies", {"rbac_policy": {**body, **values}}, token=token)


def _retarget(api: Any, policy: dict[str, Any], target: str, token: str = "member") -> Any:
    url = f"/v2.0/rbac-policies/{policy['id']}"
    return api.put(url, {"rbac_policy": {"target_tenant": target}}, token=token)


def _delete(api: Any, policy: dict[str, Any], token: str = "member") -> Any:
    return api.delete(f"/v2.0/rbac-policies/{policy['id']}", token=token)


def _kind(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["NeutronError"]["type"]


def _external(api: Any, network: dict[str, Any]) -> bool:
    shown = api.get(f"/v2.0/networks/{network['id']}", token="admin").json["network"]
    found: bool = shown["router:external"]
    return found


def test_a_policy_is_made_shown_listed_and_deleted(api: Any, make: Make, net: Any, open_to: Any) -> None:
    policy = open_to(BETA, "network", net["id"])
    assert policy == {
        "id": policy["id"],
        "object_type": "network",
        "object_id": net["id"],
        "action": "access_as_shared",
        "target_tenant": BETA,
        "target_project": BETA,
        "project_id": ALPHA,
        "tenant_id": ALPHA,
    }
    url = f"/v2.0/rbac-policies/{policy['id']}"
    assert api.get(url).json["rbac_policy"] == policy
    assert api.get(f"/v2.0/rbac-policies?target_tenant={BETA}").json["rbac_policies"] == [policy]
    assert api.get(f"/v2.0/rbac-policies?target_project={NOBODY}").json["rbac_policies"] == []
    assert api.get(url, token="member@beta").status_code == 404, "its target does not see it"
    assert _kind(_create(api, BETA, "network", net["id"])) == (409, "DuplicateRbacPolicy")
    other = open_to(NOBODY, "network", net["id"])
    assert _kind(_retarget(api, other, BETA)) == (409, "DuplicateRbacPolicy")
    assert _retarget(api, other, "c" * 32).json["rbac_policy"]["target_project"] == "c" * 32
    assert _delete(api, policy).status_code == 204 and api.get(url).status_code == 404


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"object_type": "port"}, 400),
        ({"action": "access_as_external", "object_type": "subnetpool"}, 400),
        ({"action": "steal"}, 400),
        ({"target_tenant": "beta"}, 400),
        ({"target_tenant": None}, 400),
        ({"object_id": "e" * 32}, 404),
        ({"target_tenant": "*"}, 403),
    ],
)
def test_bad_values(api: Any, net: Any, values: dict[str, Any], status: int) -> None:
    assert _create(api, BETA, "network", net["id"], **values).status_code == status


def test_what_is_not_ones_own_is_not_given(api: Any, net: Any, open_to: Any) -> None:
    assert _kind(_create(api, NOBODY, "network", net["id"], "member@beta")) == (404, "NetworkNotFound")
    open_to(BETA, "network", net["id"])
    assert _kind(_create(api, NOBODY, "network", net["id"], "member@beta")) == (400, "InvalidInput")
    assert _kind(_create(api, NOBODY, "qos_policy", net["id"])) == (404, "QosPolicyNotFound")


def test_a_network_for_one_project(api: Any, make: Make, net: Any, open_to: Any) -> None:
    url = f"/v2.0/networks/{net['id']}"
    assert api.get(url, token="member@beta").status_code == 404
    policy = open_to(BETA, "network", net["id"])
    assert api.get(url, token="member@beta").json["network"]["shared"] is True
    assert api.get(url).json["network"]["shared"] is False, "not to everybody"
    assert api.get(url, token="member@admin").status_code == 404
    for path, key in (("networks", "networks"), ("subnets", "subnets")):
        found = api.get(f"/v2.0/{path}", token="member@beta").json[key]
        assert [row["id"] for row in found] == [net["id"] if key == "networks" else net["subnet"]]
    assert len(api.get("/v2.0/networks?shared=True", token="member@beta").json["networks"]) == 1
    assert api.get("/v2.0/networks?shared=False", token="member@beta").json["networks"] == []
    assert api.get("/v2.0/networks?shared=True").json["networks"] == []
    assert api.put(url, {"network": {"name": "mine"}}, token="member@beta").status_code == 403
    port = make("port", token="member@beta", network_id=net["id"])
    in_use = (409, "InvalidSharedSetting")
    assert _kind(_delete(api, policy)) == in_use
    assert _kind(_retarget(api, policy, NOBODY)) == in_use
    assert _retarget(api, policy, "*", "admin").status_code == 200
    assert _kind(_retarget(api, policy, NOBODY, "admin")) == in_use
    assert _retarget(api, policy, BETA, "admin").status_code == 200
    assert api.delete(f"/v2.0/ports/{port['id']}", token="member@beta").status_code == 204
    assert _delete(api, policy).status_code == 204
    assert api.get(url, token="member@beta").status_code == 404


def test_shared_is_a_policy_for_everybody(api: Any, make: Make, net: Any, open_to: Any) -> None:
    url = f"/v2.0/networks/{net['id']}"

    def share(value: bool) -> Any:
        return api.put(url, {"network": {"shared": value}}, token="admin")

    assert share(True).json["network"]["shared"] is True
    (policy,) = api.get(f"/v2.0/rbac-policies?object_id={net['id']}").json["rbac_policies"]
    assert (policy["target_tenant"], policy["project_id"]) == ("*", ALPHA)
    make("port", token="member@beta", network_id=net["id"])
    assert _kind(share(False)) == (409, "InvalidSharedSetting") == _kind(_delete(api, policy))
    open_to(BETA, "network", net["id"])
    assert share(False).status_code == 200, "its user has a policy of its own"
    assert _delete(api, policy).status_code == 404
    wild = open_to("*", "network", net["id"], "admin")
    assert api.get(url).json["network"]["shared"] is True
    assert _delete(api, wild, "admin").status_code == 204
    assert api.get(url).json["network"]["shared"] is False


def test_a_network_that_is_external_for_one_project(api: Any, make: Make, open_to: Any) -> None:
    network = make("network", token="admin@admin")
    values = {"network_id": network["id"], "ip_version": 4, "cidr": "198.51.100.0/24"}
    make("subnet", token="admin@admin", **values)
    policy = open_to(BETA, "network", network["id"], "admin@admin", action="access_as_external")
    assert _external(api, network)
    gateway = {"external_gateway_info": {"network_id": network["id"]}}
    assert api.post("/v2.0/routers", {"router": gateway}).status_code == 404
    router = make("router", token="member@beta", **gateway)
    refused = api.post("/v2.0/ports", {"port": {"network_id": network["id"]}}, token="member@beta")
    assert refused.status_code == 403
    assert _kind(_delete(api, policy, "admin@admin")) == (409, "RbacPolicyInUse")
    assert api.delete(f"/v2.0/routers/{router['id']}", token="member@beta").status_code == 204
    assert _delete(api, policy, "admin@admin").status_code == 204
    assert not _external(api, network), "the last policy went"


def test_external_is_a_policy_for_everybody(api: Any, make: Make, outside: Any) -> None:
    (policy,) = api.get(f"/v2.0/rbac-policies?object_id={outside['id']}", token="admin").json["rbac_policies"]
    assert (policy["action"], policy["target_tenant"]) == ("access_as_external", "*")
    router = make("router", external_gateway_info={"network_id": outside["id"]})
    assert _kind(_delete(api, policy, "admin")) == (409, "RbacPolicyInUse")
    assert api.delete(f"/v2.0/routers/{router['id']}").status_code == 204
    inside = {"network": {"router:external": False}}
    assert api.put(f"/v2.0/networks/{outside['id']}", inside, token="admin").status_code == 200
    assert _delete(api, policy, "admin").status_code == 404


def test_a_security_group(api: Any, make: Make, open_to: Any) -> None:
    group = make("security_group", name="web")
    body = {
        "port": {"network_id": make("network", token="member@beta")["id"], "security_groups": [group["id"]]}
    }
    assert _kind(api.post("/v2.0/ports", body, token="member@beta")) == (404, "SecurityGroupNotFound")
    policy = open_to(BETA, "security_group", group["id"])
    shown = api.get(f"/v2.0/security-groups/{group['id']}", token="member@beta").json["security_group"]
    assert shown["shared"] is True and len(shown["security_group_rules"]) == 2
    found = api.get("/v2.0/security-groups?shared=True", token="member@beta").json["security_groups"]
    assert [g["id"] for g in found] == [group["id"]]
    rule = {"security_group_rule": {"security_group_id": group["id"], "direction": "ingress"}}
    assert api.post("/v2.0/security-group-rules", rule, token="member@beta").status_code == 404
    assert api.post("/v2.0/ports", body, token="member@beta").status_code == 201
    assert _kind(_delete(api, policy)) == (409, "RbacPolicyInUse")


def test_pools_and_scopes(api: Any, make: Make, open_to: Any) -> None:
    scope = make("address_scope", ip_version=4)
    pool = make("subnetpool", name="p", prefixes=["10.0.0.0/8"], default_prefixlen=24)
    shared_pool = open_to(BETA, "subnetpool", pool["id"])
    shared_scope = open_to(BETA, "address_scope", scope["id"])
    network = make("network", token="member@beta")
    values = {"network_id": network["id"], "ip_version": 4, "subnetpool_id": pool["id"]}
    make("subnet", token="member@beta", **values)
    own = {"name": "q", "prefixes": ["172.16.0.0/12"], "address_scope_id": scope["id"]}
    make("subnetpool", token="member@beta", **own)
    for policy in (shared_pool, shared_scope):
        assert _kind(_delete(api, policy)) == (409, "RbacPolicyInUse")


def test_an_address_group(api: Any, make: Make, open_to: Any) -> None:
    group = make("address_group", name="g", addresses=["192.0.2.0/24"])
    rule = {
        "security_group_id": make("security_group", token="member@beta", name="web")["id"],
        "direction": "ingress",
        "remote_address_group_id": group["id"],
    }
    url = "/v2.0/security-group-rules"
    assert api.post(url, {"security_group_rule": rule}, token="member@beta").status_code == 404
    policy = open_to(BETA, "address_group", group["id"])
    assert api.post(url, {"security_group_rule": rule}, token="member@beta").status_code == 201
    assert _kind(_delete(api, policy)) == (409, "RbacPolicyInUse")


def test_the_quota_and_what_goes_with_its_object(api: Any, net: Any, make: Make, open_to: Any) -> None:
    api.put(f"/v2.0/quotas/{ALPHA}", {"quota": {"rbac_policy": 1}}, token="admin")
    network = make("network")
    open_to(BETA, "network", network["id"])
    assert _kind(_create(api, BETA, "network", net["id"])) == (409, "OverQuota")
    assert api.delete(f"/v2.0/networks/{network['id']}").status_code == 204
    assert api.get("/v2.0/rbac-policies").json["rbac_policies"] == []
    assert api.get(f"/v2.0/quotas/{ALPHA}/details.json").json["quota"]["rbac_policy"]["used"] == 0
