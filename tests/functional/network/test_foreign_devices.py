"""What another project has is no place to plug into, whatever a request says of it (SECURITY.md 19)."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.document import Key
from controller.db.session import Database
from tests.fakes.fake_cloud import FakeCloud

Make = Callable[..., dict[str, Any]]
STRANGER = "manager@beta"


@pytest.fixture
def victim(db: Database, api: Any, make: Make, net: Any, outside: Any) -> dict[str, Any]:
    """A router of alpha with all that it may have, on a host; and that host."""
    cloud = FakeCloud(db)
    host = cloud.add_host("node1")
    router = make("router", external_gateway_info={"network_id": outside["id"]})
    joined = {"subnet_id": net["subnet"]}
    port_id = api.put(f"/v2.0/routers/{router['id']}/add_router_interface", joined).json["port_id"]
    port = make("port", network_id=net["id"])
    floating_ip = make("floatingip", floating_network_id=outside["id"])
    cloud.outbox.flush()
    return {
        **{"router": router["id"], "interface": port_id, "port": port["id"], "subnet": net["subnet"]},
        **{"floatingip": floating_ip["id"], "cloud": cloud, "host": host},
    }


@pytest.fixture
def own(make: Make) -> dict[str, str]:
    """A network, port and router of beta."""
    network = make("network", token=STRANGER)
    subnet = make("subnet", token=STRANGER, network_id=network["id"], ip_version=4, cidr="10.0.0.0/24")
    port = make("port", token=STRANGER, network_id=network["id"])
    router = make("router", token=STRANGER)
    made = {"network": network, "subnet": subnet, "port": port, "router": router}
    return {name: row["id"] for name, row in made.items()}


def test_no_port_becomes_one_of_a_foreign_router(api: Any, victim: Any, own: Any) -> None:
    host = victim["host"]
    before = host.held[Key("router", victim["router"])].body
    for owner in (
        "network:router_interface",
        "network:router_gateway",
        "network:ha_router_replicated_interface",
    ):
        forged = {"device_id": victim["router"], "device_owner": owner}
        posted = api.post("/v2.0/ports", {"port": {"network_id": own["network"], **forged}}, token=STRANGER)
        assert posted.status_code == 403, posted.text
        changed = api.put(f"/v2.0/ports/{own['port']}", {"port": forged}, token=STRANGER)
        assert changed.status_code == 403, changed.text
    for owner in ("", "compute:nova", "anything"):
        forged = {"device_id": victim["router"], "device_owner": owner}
        assert api.put(f"/v2.0/ports/{own['port']}", {"port": forged}, token=STRANGER).status_code == 200
        victim["cloud"].outbox.flush()
        assert host.held[Key("router", victim["router"])].body == before
        assert Key("port", own["port"]) not in host.held
        removed = {"port_id": own["port"]}
        path = f"/v2.0/routers/{victim['router']}/remove_router_interface"
        assert api.put(path, removed).status_code == 404
    assert api.get(f"/v2.0/ports/{own['port']}", token=STRANGER).status_code == 200


def test_a_port_of_a_router_stays_its_own(api: Any, victim: Any) -> None:
    """Not even its owner makes another device's port of it."""
    url = f"/v2.0/ports/{victim['interface']}"
    for values in ({"device_id": "other"}, {"device_owner": "compute:nova"}, {"device_id": ""}):
        assert api.put(url, {"port": values}).status_code in (403, 409), values
    assert api.delete(url).status_code == 409


def test_routers_take_nothing_that_is_foreign(api: Any, victim: Any, own: Any) -> None:
    mine, theirs = (f"/v2.0/routers/{router}" for router in (own["router"], victim["router"]))
    foreign = ({"port_id": victim["port"]}, {"subnet_id": victim["subnet"]}, {"port_id": victim["interface"]})
    for body in foreign:
        assert api.put(f"{mine}/add_router_interface", body, token=STRANGER).status_code == 404
        assert api.put(f"{mine}/remove_router_interface", body, token=STRANGER).status_code == 404
    for body in (*foreign, {"port_id": own["port"]}, {"subnet_id": own["subnet"]}):
        for verb in ("add_router_interface", "remove_router_interface"):
            assert api.put(f"{theirs}/{verb}", body, token=STRANGER).status_code == 404
    network_id = api.get(f"/v2.0/ports/{victim['port']}").json["port"]["network_id"]
    gateway = {"router": {"external_gateway_info": {"network_id": network_id}}}
    assert api.put(mine, gateway, token=STRANGER).status_code in (400, 404)


def test_floating_ips_lead_to_nothing_that_is_foreign(
    api: Any, make: Make, victim: Any, own: Any, outside: Any
) -> None:
    floating = make("floatingip", token=STRANGER, floating_network_id=outside["id"])
    mine, theirs = (f"/v2.0/floatingips/{one}" for one in (floating["id"], victim["floatingip"]))
    for path, port_id in ((mine, victim["port"]), (theirs, own["port"]), (theirs, None)):
        answer = api.put(path, {"floatingip": {"port_id": port_id}}, token=STRANGER)
        assert answer.status_code == 404, answer.text
    for path, port_id in ((mine, victim["port"]), (theirs, own["port"])):
        forwarding = {
            "protocol": "tcp",
            "external_port": 22,
            "internal_port": 22,
            "internal_port_id": port_id,
        }
        answer = api.post(f"{path}/port_forwardings", {"port_forwarding": forwarding}, token=STRANGER)
        assert answer.status_code in (400, 404), answer.text
    made = {"floating_network_id": outside["id"], "port_id": victim["port"]}
    assert api.post("/v2.0/floatingips", {"floatingip": made}, token=STRANGER).status_code == 404


@pytest.mark.parametrize("token", ["member", "manager", "reader,member"])
@pytest.mark.parametrize(
    "values", [{"binding:host_id": "node1"}, {"binding:profile": {"a": "b"}}], ids=lambda v: next(iter(v))
)
def test_bindings_are_for_administrators(api: Any, make: Make, net: Any, token: str, values: Any) -> None:
    port = make("port", network_id=net["id"])
    assert api.put(f"/v2.0/ports/{port['id']}", {"port": values}, token=token).status_code == 403
    new = {"port": {"network_id": net["id"], **values}}
    assert api.post("/v2.0/ports", new, token=token).status_code == 403
    assert (
        api.post("/v2.0/ports", {"ports": [{"network_id": net["id"]}, new["port"]]}, token=token).status_code
        == 403
    )
    shown = api.get(f"/v2.0/ports/{port['id']}", token="admin").json["port"]
    assert not shown["binding:host_id"] and not shown["binding:profile"]
    assert not set(values) & set(api.get(f"/v2.0/ports/{port['id']}", token=token).json["port"])
