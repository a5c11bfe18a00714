"""Quotas, agents, availability, extensions and versions."""

from typing import Any

import pytest

from controller.db.agents import Agent
from controller.db.columns import now
from controller.db.session import Database

ALPHA, BETA = "a" * 32, "b" * 32


def test_quotas(api: Any, make: Any) -> None:
    url = f"/v2.0/quotas/{ALPHA}"
    default = api.get(url).json["quota"]
    assert default["network"] == 100 and default == api.get(f"{url}/default").json["quota"]
    assert api.put(url, {"quota": {"port": 3}}).status_code == 403
    changed = api.put(url, {"quota": {"port": "3", "network": -1}}, token="admin")
    assert changed.json["quota"]["port"] == 3 and changed.json["quota"]["network"] == -1
    make("network")
    details = api.get(f"{url}/details.json").json["quota"]
    assert details["port"] == {"limit": 3, "used": 0, "reserved": 0} and details["network"]["used"] == 1
    assert [q["project_id"] for q in api.get("/v2.0/quotas", token="admin").json["quotas"]] == [ALPHA]
    assert api.get(f"/v2.0/quotas/{BETA}").status_code == 403
    assert api.get(f"/v2.0/quotas/{BETA}", token="admin").status_code == 200
    assert api.delete(url).status_code == 403
    assert api.delete(url, token="admin").status_code == 204
    assert api.delete(url, token="admin").status_code == 404
    assert api.get(url).json["quota"] == default


@pytest.mark.parametrize(
    "quota", [{"port": -2}, {"port": "x"}, {"nonsense": 1}, {"port": 1 << 40}, {"port": None}]
)
def test_bad_quotas(api: Any, quota: dict[str, Any]) -> None:
    assert api.put(f"/v2.0/quotas/{ALPHA}", {"quota": quota}, token="admin").status_code == 400


def test_agents(api: Any, db: Database) -> None:
    agent = Agent(
        id="5f2d1c1e-0000-4000-8000-000000000001",
        host="node1",
        agent="ovs-agent",
        capabilities={"tunnel_ip": "192.0.2.1", "bridge_mappings": {"p": "br-ex"}},
        last_seen_at=now(),
    )
    db.write(lambda session: session.add(agent))
    assert api.get("/v2.0/agents").json["agents"] == []
    found = api.get("/v2.0/agents", token="admin").json["agents"]
    assert [a["binary"] for a in found] == [
        "neutron-openvswitch-agent",
        "neutron-dhcp-agent",
        "neutron-l3-agent",
    ]
    assert all(a["alive"] and a["admin_state_up"] and a["host"] == "node1" for a in found)
    assert found[0]["configurations"]["tunneling_ip"] == "192.0.2.1"
    only = api.get("/v2.0/agents?agent_type=DHCP%20Agent&alive=true", token="admin").json["agents"]
    assert [a["id"] for a in only] == [found[1]["id"]]
    url = f"/v2.0/agents/{found[1]['id']}"
    changed = api.put(url, {"agent": {"admin_state_up": False, "description": "d"}}, token="admin").json[
        "agent"
    ]
    assert changed["admin_state_up"] is False and changed["description"] == "d"
    assert api.put(url, {"agent": {"host": "x"}}, token="admin").status_code == 400
    assert api.delete(url, token="admin").status_code == 409
    assert api.get("/v2.0/agents/x", token="admin").status_code == 404


def test_used_addresses(api: Any, make: Any, net: Any) -> None:
    make("port", network_id=net["id"])
    assert api.get("/v2.0/network-ip-availabilities").status_code == 403
    url = f"/v2.0/network-ip-availabilities/{net['id']}"
    found = api.get(url, token="admin").json["network_ip_availability"]
    assert found["total_ips"] == 253 and found["used_ips"] == 2
    (listed,) = api.get("/v2.0/network-ip-availabilities", token="admin").json["network_ip_availabilities"]
    assert listed == found
    empty = make("network")
    url = "/v2.0/network-ip-availabilities"
    counted = {n["network_id"] for n in api.get(url, token="admin").json["network_ip_availabilities"]}
    assert counted == {net["id"], empty["id"]}
    answer = api.get(f"{url}?ip_version=4", token="admin").json["network_ip_availabilities"]
    assert [n["network_id"] for n in answer] == [net["id"]]
    assert api.get(f"{url}?ip_version=6", token="admin").json["network_ip_availabilities"] == []


def test_discovery(api: Any) -> None:
    versions = api.get("/", token="").json["versions"]
    assert versions[0]["id"] == "v2.0" and versions[0]["status"] == "CURRENT"
    assert api.get("/v2.0", token="").status_code == 401
    resources = api.get("/v2.0/").json["resources"]
    assert {"networks", "subnets", "ports", "security_groups"} <= {r["collection"] for r in resources}
    aliases = {e["alias"] for e in api.get("/v2.0/extensions").json["extensions"]}
    assert {"security-group", "external-net", "provider", "port-security", "quotas"} <= aliases
    assert api.get("/v2.0/extensions/quotas").json["extension"]["alias"] == "quotas"
    assert api.get("/v2.0/extensions/dvr").status_code == 404
    assert api.get("/v2.0/availability_zones").json["availability_zones"][0]["name"] == "nova"
    missing = api.get("/v2.0/nonsense")
    assert missing.status_code == 404 and missing.json["NeutronError"]["type"] == "HTTPNotFound"
