"""Many callers at once: no address, MAC or segment twice, no quota passed (SECURITY.md 24)."""

import threading
from collections import Counter
from typing import Any

import pytest

from controller.db.session import Database
from controller.network.ports.place import place


def _together(api: Any, number: int, call: Any) -> Counter[int]:
    """``number`` calls begun at one moment; how often each status came."""
    barrier, statuses = threading.Barrier(number), Counter[int]()
    lock = threading.Lock()

    def one(index: int) -> None:
        barrier.wait()
        status = call(index).status_code
        with lock:
            statuses[status] += 1

    threads = [threading.Thread(target=one, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def test_ports_get_different_addresses_within_the_quota(api: Any, net: Any) -> None:
    api.put(f"/v2.0/quotas/{'a' * 32}", {"quota": {"port": 9}}, token="admin")
    body = {"port": {"network_id": net["id"]}}
    assert _together(api, 12, lambda _: api.post("/v2.0/ports", body)) == {201: 9, 409: 3}
    ports = api.get("/v2.0/ports?device_owner=").json["ports"]
    assert len({p["fixed_ips"][0]["ip_address"] for p in ports}) == 9
    assert len({p["mac_address"] for p in ports}) == 9


def test_one_default_group(api: Any) -> None:
    assert _together(api, 8, lambda _: api.get("/v2.0/security-groups")) == {200: 8}
    assert len(api.get("/v2.0/security-groups").json["security_groups"]) == 1


def test_one_of_two_overlapping_subnets(api: Any, make: Any) -> None:
    body = {"subnet": {"network_id": make("network")["id"], "ip_version": 4, "cidr": "10.0.0.0/24"}}
    assert _together(api, 6, lambda _: api.post("/v2.0/subnets", body)) == {201: 1, 400: 5}


def test_subnets_of_a_pool_are_apart(api: Any, make: Any) -> None:
    pool = make("subnetpool", name="pool", prefixes=["10.0.0.0/22"], default_prefixlen=24)
    networks = [make("network")["id"] for _ in range(8)]

    def call(index: int) -> Any:
        body = {"network_id": networks[index], "ip_version": 4, "subnetpool_id": pool["id"]}
        return api.post("/v2.0/subnets", {"subnet": body})

    assert _together(api, 8, call) == {201: 4, 409: 4}
    assert len({s["cidr"] for s in api.get("/v2.0/subnets").json["subnets"]}) == 4


def test_one_default_pool(api: Any) -> None:
    body = {"subnetpool": {"name": "pool", "prefixes": ["10.0.0.0/8"], "is_default": True}}
    tokens = ("admin@alpha", "admin@beta", "admin@admin")
    found = _together(api, 6, lambda i: api.post("/v2.0/subnetpools", body, token=tokens[i % 3]))
    assert found == {201: 1, 400: 5}


def test_a_network_goes_or_gets_a_port(api: Any, make: Any) -> None:
    """Either the port was first and the network stays, or the network is gone and the port is refused."""
    for _ in range(5):
        network = make("network")
        url = f"/v2.0/networks/{network['id']}"

        def call(index: int, network: Any = network, url: str = url) -> Any:
            body = {"port": {"network_id": network["id"]}}
            return api.delete(url) if index else api.post("/v2.0/ports", body)

        assert set(_together(api, 2, call)) in ({201, 409}, {404, 204})


def test_a_project_keeps_its_access_or_has_no_port(api: Any, make: Any) -> None:
    """Either the port was first and the policy stays, or the policy is gone and the port is refused."""
    for _ in range(5):
        network = make("network")
        policy = {
            "object_type": "network",
            "object_id": network["id"],
            "action": "access_as_shared",
            "target_tenant": "b" * 32,
        }
        made = api.post("/v2.0/rbac-policies", {"rbac_policy": policy}).json["rbac_policy"]["id"]

        def call(index: int, network: Any = network, made: str = made) -> Any:
            body = {"port": {"network_id": network["id"]}}
            if index:
                return api.delete(f"/v2.0/rbac-policies/{made}")
            return api.post("/v2.0/ports", body, token="member@beta")

        assert set(_together(api, 2, call)) in ({201, 409}, {404, 204})


def test_a_project_keeps_its_group_or_has_no_port_in_it(api: Any, make: Any) -> None:
    network = make("network", token="member@beta")
    for _ in range(10):
        group = make("security_group", name="shared")["id"]
        policy = {"object_type": "security_group", "object_id": group, "action": "access_as_shared"}
        body = {"rbac_policy": {**policy, "target_tenant": "b" * 32}}
        made = api.post("/v2.0/rbac-policies", body).json["rbac_policy"]["id"]

        def call(index: int, group: Any = group, made: str = made) -> Any:
            body = {"port": {"network_id": network["id"], "security_groups": [group]}}
            if index:
                return api.delete(f"/v2.0/rbac-policies/{made}")
            return api.post("/v2.0/ports", body, token="member@beta")

        assert set(_together(api, 2, call)) in ({201, 409}, {404, 204})
        api.delete(f"/v2.0/security-groups/{group}")


def test_a_subport_is_where_its_parent_is(api: Any, make: Any, net: Any, db: Database) -> None:
    """Whichever was first: the parent's move or the subport's coming and going."""
    parent = make("port", network_id=net["id"])
    trunk = make("trunk", port_id=parent["id"])
    url = f"/v2.0/trunks/{trunk['id']}"
    for turn in range(10):
        child = make("port", network_id=net["id"])["id"]
        held = {"port_id": child, "segmentation_type": "vlan", "segmentation_id": turn + 1}
        for verb, host in (("add", f"one-{turn}"), ("remove", f"two-{turn}")):

            def call(index: int, verb: str = verb, host: str = host, held: Any = held) -> Any:
                if index:
                    db.write(lambda session: place(session, [parent["id"]], host))
                    return api.get(url)
                return api.put(f"{url}/{verb}_subports", {"sub_ports": [held]})

            assert _together(api, 2, call) == {200: 2}
            shown = api.get(f"/v2.0/ports/{child}", token="admin").json["port"]
            assert shown["binding:host_id"] == (host if verb == "add" else "")


def test_a_default_rule_names_what_is_there(api: Any, make: Any) -> None:
    """Either the rule was first and the address group stays, or that is gone and the rule is refused."""
    url = "/v2.0/default-security-group-rules"
    for turn in range(10):
        named = make("address_group", name=str(turn))["id"]
        rule = {"direction": "ingress", "remote_address_group_id": named}

        def call(index: int, named: str = named, rule: Any = rule) -> Any:
            if index:
                return api.delete(f"/v2.0/address-groups/{named}")
            return api.post(url, {"default_security_group_rule": rule}, token="admin")

        assert set(_together(api, 2, call)) in ({201, 409}, {404, 204})


def test_no_default_rule_twice(api: Any) -> None:
    body = {"default_security_group_rule": {"direction": "ingress", "protocol": "tcp"}}
    tokens = ("admin@alpha", "admin@beta", "admin@admin")
    url = "/v2.0/default-security-group-rules"
    assert _together(api, 6, lambda i: api.post(url, body, token=tokens[i % 3])) == {201: 1, 409: 5}


#: What is changed while it is deleted: a body to make it with and one to change it with.
CHANGED = {
    "address_group": ({"name": "a"}, {"name": "b"}),
    "address_scope": ({"name": "a", "ip_version": 4}, {"name": "b"}),
    "network": ({"name": "a"}, {"name": "b"}),
    "port": ({"name": "a"}, {"name": "b"}),
    "router": ({"name": "a"}, {"name": "b"}),
    "security_group": ({"name": "a"}, {"name": "b"}),
    "subnetpool": ({"name": "a", "prefixes": ["10.0.0.0/8"]}, {"name": "b"}),
}


@pytest.mark.parametrize("kind", CHANGED)
def test_a_change_meets_an_end(api: Any, make: Any, kind: str) -> None:
    """Either the change was first, or there is nothing to change."""
    made, changed = CHANGED[kind]
    extra = {"network_id": make("network")["id"]} if kind == "port" else {}
    for _ in range(6):
        row = make(kind, **made, **extra)
        url = f"/v2.0/{kind.replace('_', '-')}s/{row['id']}"
        _either(api, url, {kind: changed})


def test_a_change_of_a_qos_rule_meets_an_end(api: Any, make: Any) -> None:
    policy = api.post("/v2.0/qos/policies", {"policy": {"name": "p"}}, token="admin").json["policy"]["id"]
    rules = f"/v2.0/qos/policies/{policy}/bandwidth_limit_rules"
    for _ in range(6):
        body = {"bandwidth_limit_rule": {"max_kbps": 5}}
        rule = api.post(rules, body, token="admin").json["bandwidth_limit_rule"]["id"]
        _either(api, f"{rules}/{rule}", {"bandwidth_limit_rule": {"max_kbps": 6}})


def test_a_network_is_made_with_the_default_policy_or_without(api: Any) -> None:
    """Whichever was first: a default policy that goes is no obstacle."""
    for _ in range(6):
        body = {"policy": {"name": "p", "is_default": True}}
        policy = api.post("/v2.0/qos/policies", body, token="manager").json["policy"]["id"]

        def call(index: int, policy: str = policy) -> Any:
            if index:
                return api.delete(f"/v2.0/qos/policies/{policy}", token="manager")
            return api.post("/v2.0/networks", {"network": {}})

        statuses = set(_together(api, 2, call))
        assert statuses in ({201, 409}, {201, 204})
        if 409 in statuses:
            (network,) = api.get(f"/v2.0/networks?qos_policy_id={policy}").json["networks"]
            assert api.delete(f"/v2.0/networks/{network['id']}").status_code == 204
            assert api.delete(f"/v2.0/qos/policies/{policy}", token="manager").status_code == 204


def test_a_change_of_an_access_meets_an_end(api: Any, make: Any) -> None:
    network = make("network")["id"]
    policy = {"object_type": "network", "object_id": network, "action": "access_as_shared"}
    for _ in range(6):
        body = {"rbac_policy": {**policy, "target_tenant": "b" * 32}}
        made = api.post("/v2.0/rbac-policies", body).json["rbac_policy"]["id"]
        _either(api, f"/v2.0/rbac-policies/{made}", {"rbac_policy": {"target_tenant": "c" * 32}})


def _either(api: Any, url: str, body: Any) -> None:
    def call(index: int) -> Any:
        return api.delete(url, token="admin") if index else api.put(url, body, token="admin")

    assert set(_together(api, 2, call)) in ({200, 204}, {404, 204})


def test_one_topology_for_a_project(api: Any, make: Any, outside: Any) -> None:
    pool = {"name": "default", "prefixes": ["10.64.0.0/16"], "default_prefixlen": 24}
    make("subnetpool", token="admin", **pool, is_default=True, shared=True)
    default = {"network": {"is_default": True}}
    assert api.put(f"/v2.0/networks/{outside['id']}", default, token="admin").status_code == 200
    assert _together(api, 4, lambda _: api.get("/v2.0/auto-allocated-topology/None")) == {200: 4}
    assert len(api.get("/v2.0/routers").json["routers"]) == 1


def test_one_of_many_takes_a_vlan(api: Any) -> None:
    vlan = {"provider:network_type": "vlan", "provider:physical_network": "p", "provider:segmentation_id": 5}
    tokens = ("admin@alpha", "admin@beta", "admin@admin")
    found = _together(api, 6, lambda i: api.post("/v2.0/networks", {"network": vlan}, token=tokens[i % 3]))
    assert found == {201: 1, 409: 5}


def _behind_router(api: Any, make: Any, net: Any, outside: Any) -> None:
    router = make("router", external_gateway_info={"network_id": outside["id"]})
    url = f"/v2.0/routers/{router['id']}/add_router_interface"
    assert api.put(url, {"subnet_id": net["subnet"]}).status_code == 200


def test_floating_ips_get_different_addresses_within_the_quota(api: Any, outside: Any) -> None:
    api.put(f"/v2.0/quotas/{'a' * 32}", {"quota": {"floatingip": 9}}, token="admin")
    body = {"floatingip": {"floating_network_id": outside["id"]}}
    assert _together(api, 12, lambda _: api.post("/v2.0/floatingips", body)) == {201: 9, 409: 3}
    found = api.get("/v2.0/floatingips").json["floatingips"]
    assert len({f["floating_ip_address"] for f in found}) == 9


def test_one_floating_ip_for_an_address(api: Any, make: Any, net: Any, outside: Any) -> None:
    _behind_router(api, make, net, outside)
    port = make("port", network_id=net["id"])
    urls = [
        f"/v2.0/floatingips/{make('floatingip', floating_network_id=outside['id'])['id']}" for _ in range(4)
    ]
    body = {"floatingip": {"port_id": port["id"]}}
    assert _together(api, 4, lambda index: api.put(urls[index], body)) == {200: 1, 409: 3}


def test_a_port_goes_or_gets_a_floating_ip_and_then_goes(api: Any, make: Any, net: Any, outside: Any) -> None:
    _behind_router(api, make, net, outside)
    url = f"/v2.0/floatingips/{make('floatingip', floating_network_id=outside['id'])['id']}"
    for _ in range(5):
        port = make("port", network_id=net["id"])

        def call(index: int, port: Any = port) -> Any:
            body = {"floatingip": {"port_id": port["id"]}}
            return api.delete(f"/v2.0/ports/{port['id']}") if index else api.put(url, body)

        assert set(_together(api, 2, call)) in ({200, 204}, {404, 204})
        assert api.get(url).json["floatingip"]["port_id"] is None


def test_a_router_is_joined_to_one_of_overlapping_subnets(api: Any, make: Any) -> None:
    subnets = [
        make("subnet", network_id=make("network")["id"], ip_version=4, cidr="10.0.0.0/24") for _ in range(4)
    ]
    url = f"/v2.0/routers/{make('router')['id']}/add_router_interface"
    joined = _together(api, 4, lambda index: api.put(url, {"subnet_id": subnets[index]["id"]}))
    assert joined == {200: 1, 400: 3}


def test_a_router_goes_or_is_joined(api: Any, make: Any, net: Any) -> None:
    for _ in range(5):
        url = f"/v2.0/routers/{make('router')['id']}"

        def call(index: int, url: str = url) -> Any:
            body = {"subnet_id": net["subnet"]}
            return api.delete(url) if index else api.put(f"{url}/add_router_interface", body)

        statuses = set(_together(api, 2, call))
        assert statuses in ({200, 409}, {404, 204})
        if 409 in statuses:
            assert api.put(f"{url}/remove_router_interface", {"subnet_id": net["subnet"]}).status_code == 200
