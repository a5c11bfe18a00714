"""Trunks and their subports through the API."""

from typing import Any

import pytest

from controller.network import documents
from controller.network.ports.model import Port
from controller.network.ports.place import place


@pytest.fixture
def port(make: Any, net: Any) -> Any:
    """A way to make ports on one network."""
    return lambda **values: make("port", network_id=net["id"], **values)


def _sub(port: dict[str, Any], tag: int | None = None, kind: str = "vlan") -> dict[str, Any]:
    found = {"port_id": port["id"], "segmentation_type": kind}
    return found if tag is None else {**found, "segmentation_id": tag}


def _put(api: Any, trunk: dict[str, Any], verb: str, *sub_ports: dict[str, Any], **more: Any) -> Any:
    return api.put(f"/v2.0/trunks/{trunk['id']}/{verb}_subports", {"sub_ports": list(sub_ports)}, **more)


def _kind(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["NeutronError"]["type"]


def test_a_trunk_lives(api: Any, make: Any, port: Any) -> None:
    parent, first, second = port(), port(), port()
    trunk = make("trunk", port_id=parent["id"], name="t", sub_ports=[_sub(first, 100)])
    assert trunk["status"] == "DOWN" and trunk["admin_state_up"] and trunk["sub_ports"] == [_sub(first, 100)]
    changed = _put(api, trunk, "add", _sub(second, 200)).json
    assert changed["sub_ports"] == [_sub(first, 100), _sub(second, 200)]
    assert changed["revision_number"] > trunk["revision_number"]
    shown = api.get(f"/v2.0/ports/{parent['id']}").json["port"]["trunk_details"]
    told = [{**_sub(p, tag), "mac_address": p["mac_address"]} for p, tag in ((first, 100), (second, 200))]
    assert shown == {"trunk_id": trunk["id"], "sub_ports": told}
    assert api.get(f"/v2.0/ports/{first['id']}").json["port"]["device_owner"] == "trunk:subport"
    assert _put(api, trunk, "remove", {"port_id": first["id"]}).json["sub_ports"] == [_sub(second, 200)]
    assert api.get(f"/v2.0/ports/{first['id']}").json["port"]["device_owner"] == ""
    url = f"/v2.0/trunks/{trunk['id']}"
    assert api.get(f"{url}/get_subports").json == {"sub_ports": [_sub(second, 200)]}
    assert api.put(url, {"trunk": {"name": "u"}}).json["trunk"]["name"] == "u"
    assert [t["id"] for t in api.get(f"/v2.0/trunks?port_id={parent['id']}").json["trunks"]] == [trunk["id"]]
    assert api.delete(url).status_code == 204 and _kind(api.get(url)) == (404, "TrunkNotFound")
    assert api.delete(f"/v2.0/ports/{second['id']}").status_code == 204


def test_ports_of_a_trunk_are_in_use(api: Any, make: Any, port: Any) -> None:
    parent, child, free = port(), port(), port()
    trunk = make("trunk", port_id=parent["id"], sub_ports=[_sub(child, 100)])
    assert _kind(api.delete(f"/v2.0/ports/{parent['id']}")) == (409, "PortInUseAsTrunkParent")
    assert _kind(api.delete(f"/v2.0/ports/{child['id']}")) == (409, "PortInUseAsSubPort")
    for taken, kind in ((parent, "ParentPortInUse"), (child, "TrunkPortInUse")):
        refused = api.post("/v2.0/trunks", {"trunk": {"port_id": taken["id"]}})
        assert _kind(refused) == (409, kind)
    other = make("trunk", port_id=free["id"])
    assert _kind(_put(api, other, "add", _sub(child, 5))) == (409, "TrunkPortInUse")
    assert _kind(_put(api, other, "add", _sub(parent, 5))) == (409, "ParentPortInUse")
    assert _kind(_put(api, other, "add", _sub(free, 5))) == (409, "ParentPortInUse")
    assert _kind(_put(api, trunk, "add", _sub(port(), 100))) == (409, "DuplicateSubPort")
    assert _kind(_put(api, trunk, "remove", {"port_id": free["id"]})) == (404, "SubPortNotFound")
    busy = port(device_id="something")
    assert _kind(_put(api, trunk, "add", _sub(busy, 7))) == (409, "PortInUse")


def test_odd_subports_are_refused(api: Any, make: Any, port: Any, net: Any) -> None:
    trunk, a, b = make("trunk", port_id=port()["id"]), port(), port()
    for wrong in (
        [_sub(a, 0)],
        [_sub(a, 4095)],
        [_sub(a)],
        [{"port_id": a["id"], "segmentation_id": 5}],
        [_sub(a, 5), _sub(a, 6)],
        [_sub(a, 5), _sub(b, 5)],
        [_sub(a, 5, "vxlan")],
        [_sub(a, kind="inherit")],
    ):
        assert _put(api, trunk, "add", *wrong).status_code == 400, wrong
    assert _put(api, trunk, "add", {**_sub(a, 5), "port_id": net["id"]}).status_code == 404
    foreign = make("network", token="member@beta")
    theirs = make("port", token="member@beta", network_id=foreign["id"])
    assert _put(api, trunk, "add", _sub(theirs, 5)).status_code == 404
    assert _put(api, trunk, "add", _sub(a, 5), token="member@beta").status_code == 404
    large = make("network", token="admin", **{"provider:network_type": "local"})
    assert large["mtu"] > net["mtu"]
    port_of_large = make("port", token="admin", network_id=large["id"])
    refused = _put(api, trunk, "add", _sub(port_of_large, 9), token="admin")
    assert _kind(refused) == (409, "SubPortMtuGreaterThanTrunkPortMtu")


def test_a_tag_is_inherited_of_a_vlan_network(api: Any, make: Any, port: Any, net: Any) -> None:
    provider = {"network_type": "vlan", "physical_network": "p", "segmentation_id": 77}
    fields = {f"provider:{name}": value for name, value in provider.items()}
    vlan = make("network", token="admin", mtu=net["mtu"], **fields)
    child = make("port", token="admin", network_id=vlan["id"])
    trunk = make("trunk", port_id=port()["id"], token="admin")
    changed = _put(api, trunk, "add", _sub(child, kind="inherit"), token="admin").json
    assert changed["sub_ports"] == [_sub(child, 77)]


def test_one_that_is_switched_off_stays_as_it_is(api: Any, make: Any, port: Any) -> None:
    child = port()
    trunk = make("trunk", port_id=port()["id"], admin_state_up=False, sub_ports=[_sub(child, 5)])
    url = f"/v2.0/trunks/{trunk['id']}"
    assert _kind(_put(api, trunk, "add", _sub(port(), 6))) == (409, "TrunkDisabled")
    assert _kind(_put(api, trunk, "remove", {"port_id": child["id"]})) == (409, "TrunkDisabled")
    assert _kind(api.delete(url)) == (409, "TrunkDisabled")
    assert api.put(url, {"trunk": {"admin_state_up": True}}).status_code == 200
    assert api.delete(url).status_code == 204


def test_subports_go_where_their_parent_is(api: Any, make: Any, port: Any, db: Any) -> None:
    parent, first, second = port(), port(), port()
    trunk = make("trunk", port_id=parent["id"], sub_ports=[_sub(first, 100)])
    db.write(lambda session: place(session, [parent["id"]], "h1"))
    with db.read() as session:
        told: Any = documents.DOCUMENTS["port"].render(session, "h1", first["id"])
    assert told.parent_port_id == parent["id"] and told.segmentation_id == 100
    _put(api, trunk, "add", _sub(second, 200))
    assert api.get(f"/v2.0/trunks/{trunk['id']}").json["trunk"]["status"] == "BUILD"
    ids = {p["id"] for p in (parent, first, second)}

    def settle(session: Any) -> None:
        for port_id in ids:
            session.get_one(Port, port_id).status = "ACTIVE"

    db.write(settle)
    assert api.get(f"/v2.0/trunks/{trunk['id']}").json["trunk"]["status"] == "ACTIVE"
    bound = api.get("/v2.0/ports?binding:host_id=h1", token="admin").json["ports"]
    assert {p["id"] for p in bound} == ids
    _put(api, trunk, "remove", {"port_id": second["id"]})
    loose = api.get(f"/v2.0/ports/{second['id']}", token="admin").json["port"]
    assert loose["binding:host_id"] == "" and loose["status"] == "DOWN"
    url = f"/v2.0/ports/{parent['id']}"
    api.put(url, {"port": {"binding:host_id": "h2"}}, token="admin")
    moved = api.get(f"/v2.0/ports/{first['id']}", token="admin").json["port"]
    assert moved["binding:host_id"] == "h2"
