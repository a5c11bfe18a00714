"""Port forwardings through the API, and what the router's host is told of them."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.document import Key
from contract.kinds import decode
from controller.db.session import Database
from tests.fakes.fake_cloud import FakeCloud

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def router(api: Any, make: Make, outside: Any, net: Any) -> dict[str, Any]:
    """A router between ``net`` and ``outside``."""
    made = make("router", external_gateway_info={"network_id": outside["id"]})
    joined = api.put(f"/v2.0/routers/{made['id']}/add_router_interface", {"subnet_id": net["subnet"]})
    assert joined.status_code == 200, joined.text
    return made


@pytest.fixture
def port(make: Make, net: Any, router: Any) -> dict[str, Any]:
    """A port of ``net``, behind the router."""
    return make("port", network_id=net["id"])


@pytest.fixture
def floating_ip(make: Make, outside: Any) -> dict[str, Any]:
    """A floating IP that stands for nothing yet."""
    return make("floatingip", floating_network_id=outside["id"])


@pytest.fixture
def url(floating_ip: dict[str, Any]) -> str:
    """Where its port forwardings are."""
    return f"/v2.0/floatingips/{floating_ip['id']}/port_forwardings"


def _body(port: dict[str, Any], **values: Any) -> dict[str, Any]:
    usual = {"internal_port_id": port["id"], "internal_port": 80, "external_port": 8080, "protocol": "tcp"}
    merged = {**usual, **values}
    return {"port_forwarding": {name: value for name, value in merged.items() if value is not None}}


def _refused(answer: Any, status: int, kind: str) -> None:
    assert (answer.status_code, answer.json["NeutronError"]["type"]) == (status, kind), answer.text


def test_a_forwarding_is_made_shown_changed_and_deleted(
    api: Any, url: str, floating_ip: Any, port: Any, router: Any
) -> None:
    made = api.post(url, _body(port, description="web")).json["port_forwarding"]
    assert made == {
        "id": made["id"],
        "internal_port_id": port["id"],
        "internal_ip_address": port["fixed_ips"][0]["ip_address"],
        "internal_port": 80,
        "internal_port_range": "80:80",
        "external_port": 8080,
        "external_port_range": "8080:8080",
        "protocol": "tcp",
        "description": "web",
    }
    one = f"{url}/{made['id']}"
    assert api.get(one).json["port_forwarding"] == made
    assert api.get(f"{url}?external_port=8080").json["port_forwardings"] == [made]
    assert api.get(f"{url}?external_port=1").json["port_forwardings"] == []
    shown = api.get(f"/v2.0/floatingips/{floating_ip['id']}").json["floatingip"]
    assert shown["router_id"] == router["id"] and shown["port_id"] is None
    assert [f["id"] for f in shown["port_forwardings"]] == [made["id"]]
    changed = api.put(one, {"port_forwarding": {"external_port": 8081, "protocol": "UDP"}})
    assert changed.json["port_forwarding"]["external_port_range"] == "8081:8081"
    assert changed.json["port_forwarding"]["protocol"] == "udp"
    for answer in (api.get(url, token="member@beta"), api.get(one, token="member@beta")):
        _refused(answer, 404, "FloatingIPNotFound")
    assert api.delete(one).status_code == 204
    _refused(api.get(one), 404, "PortForwardingNotFound")
    assert api.get(f"/v2.0/floatingips/{floating_ip['id']}").json["floatingip"]["router_id"] is None


def test_what_cannot_be_forwarded(api: Any, make: Make, url: str, port: Any, net: Any, outside: Any) -> None:
    assert api.post(url, _body(port)).status_code == 201
    for values, status in (
        ({}, 400),
        ({"internal_port": 81}, 400),
        ({"external_port": 81}, 400),
        ({"internal_port": 0, "external_port": 1}, 400),
        ({"protocol": "x"}, 400),
        ({"external_port": None}, 400),
        ({"external_port": None, "external_port_range": "9000:9", "internal_port": 9000}, 400),
        ({"external_port": None, "external_port_range": "8000:9000", "internal_port": 9000}, 400),
        ({"internal_ip_address": "10.0.0.99", "external_port": 1, "internal_port": 1}, 400),
        ({"internal_port_id": "b" * 32}, 404),
    ):
        assert api.post(url, _body(port, **values)).status_code == status, values
    uneven = {"external_port": None, "internal_port": None}
    ranges = {"external_port_range": "1:3", "internal_port_range": "1:2"}
    _refused(api.post(url, _body(port, **uneven, **ranges)), 400, "BadRequest")
    alone = make("network")
    make("subnet", network_id=alone["id"], ip_version=4, cidr="10.7.0.0/24")
    far = make("port", network_id=alone["id"])
    _refused(api.post(url, _body(far, external_port=1)), 400, "BadRequest")
    whole = make("port", network_id=net["id"])
    make("floatingip", floating_network_id=outside["id"], port_id=whole["id"])
    _refused(api.post(url, _body(whole, external_port=1)), 409, "PortHasBindingFloatingIP")


def test_what_needs_a_forwarding_stays(
    api: Any, make: Make, url: str, floating_ip: Any, port: Any, router: Any, net: Any
) -> None:
    made = api.post(url, _body(port)).json["port_forwarding"]
    address = f"/v2.0/floatingips/{floating_ip['id']}"
    other = make("port", network_id=net["id"])
    _refused(api.delete(address), 409, "FipInUseByPortForwarding")
    _refused(api.put(address, {"floatingip": {"port_id": other["id"]}}), 409, "FipInUseByPortForwarding")
    assert api.put(address, {"floatingip": {"port_id": None}}).json["floatingip"]["router_id"] == router["id"]
    off = api.put(f"/v2.0/routers/{router['id']}/remove_router_interface", {"subnet_id": net["subnet"]})
    _refused(off, 409, "RouterInterfaceInUseByFloatingIP")
    assert api.delete(f"/v2.0/ports/{port['id']}").status_code == 204
    assert api.get(f"{url}/{made['id']}").status_code == 404
    assert api.get(address).json["floatingip"]["router_id"] is None
    assert api.delete(address).status_code == 204


def test_the_host_is_told_of_forwardings(
    api: Any, db: Database, url: str, floating_ip: Any, port: Any, router: Any
) -> None:
    cloud = FakeCloud(db)
    host = cloud.add_host("node1")
    api.put(f"/v2.0/routers/{router['id']}", {"router": {"name": "placed"}})
    ranges = {"external_port_range": "8000:8009", "internal_port_range": "80:89"}
    made = api.post(url, _body(port, external_port=None, internal_port=None, **ranges)).json[
        "port_forwarding"
    ]
    cloud.outbox.flush()
    told: Any = decode(host.held[Key("router", router["id"])])
    (forwarding,) = told.port_forwardings
    assert forwarding.id == made["id"] and forwarding.protocol == "tcp"
    assert forwarding.floating_ip_address == floating_ip["floating_ip_address"]
    assert forwarding.internal_ip_address == port["fixed_ips"][0]["ip_address"]
    assert (forwarding.external_port, forwarding.internal_port) == ("8000:8009", "80:89")
    assert told.floating_ips == ()
    shown = api.get(f"/v2.0/floatingips/{floating_ip['id']}").json["floatingip"]
    assert shown["status"] == "ACTIVE"
    policy = api.post("/v2.0/qos/policies", {"policy": {"name": "p"}}, token="manager").json["policy"]["id"]
    rule = {"bandwidth_limit_rule": {"max_kbps": 100}}
    api.post(f"/v2.0/qos/policies/{policy}/bandwidth_limit_rules", rule, token="manager")
    laid = {"floatingip": {"qos_policy_id": policy}}
    assert api.put(f"/v2.0/floatingips/{floating_ip['id']}", laid).status_code == 200
    cloud.outbox.flush()
    told = decode(host.held[Key("router", router["id"])])
    (limited,) = told.floating_ip_limits
    assert limited.address == floating_ip["floating_ip_address"] and limited.limits[0].rate == 100
