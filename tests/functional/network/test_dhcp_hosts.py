"""Which hosts answer DHCP of a network: those with a port on it, and an operator's word."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.document import Key
from contract.kinds import decode
from controller.db.session import Database
from tests.fakes.fake_cloud import FakeCloud
from tests.fakes.fake_host import FakeHost

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def cloud(db: Database) -> FakeCloud:
    """An engine without threads."""
    return FakeCloud(db)


def _agents(api: Any) -> dict[str, str]:
    """DHCP agents by host."""
    found = api.get("/v2.0/agents?agent_type=DHCP%20agent", token="admin").json["agents"]
    return {agent["host"]: agent["id"] for agent in found}


def _hosting(api: Any, network: dict[str, Any]) -> list[str]:
    found = api.get(f"/v2.0/networks/{network['id']}/dhcp-agents", token="admin").json["agents"]
    hosts = sorted(agent["host"] for agent in found)
    for host, agent_id in _agents(api).items():
        listed = api.get(f"/v2.0/agents/{agent_id}/dhcp-networks", token="admin").json["networks"]
        assert (network["id"] in [n["id"] for n in listed]) == (host in hosts), "both lists say the same"
    return hosts


def _told(cloud: FakeCloud, host: FakeHost, network: dict[str, Any]) -> Any:
    cloud.outbox.flush()
    envelope = host.held.get(Key("network", network["id"]))
    return decode(envelope) if envelope else None


def test_hosts_serve_what_they_have_ports_of_and_what_an_operator_says(
    api: Any, make: Make, cloud: FakeCloud, net: Any
) -> None:
    one, two = cloud.add_host("one"), cloud.add_host("two")
    assert _hosting(api, net) == ["one", "two"], "each would, from its first port on"
    assert _told(cloud, one, net) is None
    make("port", token="admin", network_id=net["id"], **{"binding:host_id": "one"})
    assert _hosting(api, net) == ["one"]
    assert _told(cloud, one, net).service_port and not _told(cloud, two, net)
    on_one, on_two = (f"/v2.0/agents/{_agents(api)[host]}/dhcp-networks" for host in ("one", "two"))

    again = api.post(on_one, {"network_id": net["id"]}, token="admin")
    assert again.status_code == 409 and again.json["NeutronError"]["type"] == "NetworkHostedByDHCPAgent"
    assert api.post(on_two, {"network_id": net["id"]}, token="admin").status_code == 201
    assert _hosting(api, net) == ["one", "two"]
    assert _told(cloud, two, net).service_port and Key("segment", net["id"]) in two.held

    assert api.delete(f"{on_one}/{net['id']}", token="admin").status_code == 204
    assert _hosting(api, net) == ["two"]
    assert _told(cloud, one, net).service_port is None, "the port is there, what answers it is not"
    gone = api.delete(f"{on_one}/{net['id']}", token="admin")
    assert gone.status_code == 409 and gone.json["NeutronError"]["type"] == "NetworkNotHostedByDhcpAgent"
    assert api.post(on_one, {"network_id": net["id"]}, token="admin").status_code == 201
    assert _told(cloud, one, net).service_port

    assert api.delete(f"{on_two}/{net['id']}", token="admin").status_code == 204
    assert _told(cloud, two, net) is None, "nothing kept the network there but the word"


def test_only_dhcp_agents_that_are_on_take_networks(api: Any, make: Make, cloud: FakeCloud, net: Any) -> None:
    cloud.add_host("one")
    routing = api.get("/v2.0/agents?agent_type=L3%20agent", token="admin").json["agents"][0]["id"]
    assert api.get(f"/v2.0/agents/{routing}/dhcp-networks", token="admin").json == {"networks": []}
    refused = api.post(f"/v2.0/agents/{routing}/dhcp-networks", {"network_id": net["id"]}, token="admin")
    assert refused.status_code == 404 and refused.json["NeutronError"]["type"] == "InvalidDHCPAgent"
    agent = _agents(api)["one"]
    api.put(f"/v2.0/agents/{agent}", {"agent": {"admin_state_up": False}}, token="admin")
    assert _hosting(api, net) == []
    url = f"/v2.0/agents/{agent}/dhcp-networks"
    assert api.post(url, {"network_id": net["id"]}, token="admin").status_code == 404
    assert api.post(url, {"network_id": "b" * 32}, token="admin").status_code == 404
    assert api.post(url, {"network_id": net["id"], "x": 1}, token="admin").status_code == 400


def test_a_network_goes_with_what_was_said_of_it(api: Any, cloud: FakeCloud, net: Any) -> None:
    host = cloud.add_host("one")
    url = f"/v2.0/agents/{_agents(api)['one']}/dhcp-networks"
    assert api.post(url, {"network_id": net["id"]}, token="admin").status_code == 201
    assert _told(cloud, host, net)
    assert api.delete(f"/v2.0/networks/{net['id']}").status_code == 204
    assert _told(cloud, host, net) is None


def test_what_is_taken_back_follows_the_ports_again(api: Any, make: Make, cloud: FakeCloud, net: Any) -> None:
    one, two = cloud.add_host("one"), cloud.add_host("two")
    on_one, on_two = (f"/v2.0/agents/{_agents(api)[host]}/dhcp-networks" for host in ("one", "two"))
    here = make("port", token="admin", network_id=net["id"], **{"binding:host_id": "one"})
    for url, steps in ((on_two, ("POST", "DELETE")), (on_one, ("DELETE", "POST"))):
        for step in steps:
            path, body = (url, {"network_id": net["id"]}) if step == "POST" else (f"{url}/{net['id']}", None)
            assert api.call(step, path, body, token="admin").status_code in (201, 204)
    assert _hosting(api, net) == ["one"]
    make("port", token="admin", network_id=net["id"], **{"binding:host_id": "two"})
    assert _told(cloud, two, net).service_port, "given and taken before it had a port"
    assert api.delete(f"/v2.0/ports/{here['id']}", token="admin").status_code == 204
    assert _hosting(api, net) == ["two"]
    assert _told(cloud, one, net) is None, "nothing holds it there"
