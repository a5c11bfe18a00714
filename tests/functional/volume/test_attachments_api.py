"""/attachments: volumes for hosts that are not ours, and what must not be done to those of servers."""

from collections.abc import Callable
from typing import Any

from controller.db.columns import new_uuid
from controller.volume.attachments import server

ALPHA = "a" * 32
V = {"OpenStack-API-Version": "volume 3.54"}
CONNECTOR = {"initiator": "iqn.2026-01.test:host", "host": "h", "ip": "192.0.2.7", "mountpoint": "/dev/vdb"}
Until = Callable[[Callable[[], bool]], None]


def volume(api: Any, engine: Any, until: Until) -> str:
    if not engine.hosts:
        engine.host()
    volume_id: str = api.post("/v3/volumes", {"volume": {"size": 1}}).json["volume"]["id"]
    until(lambda: status(api, volume_id) == "available")
    return volume_id


def status(api: Any, volume_id: str) -> str:
    return str(api.get(f"/v3/volumes/{volume_id}").json["volume"]["status"])


def test_reserve_connect_complete_end(api: Any, engine: Any, until: Until) -> None:
    volume_id, server_id = volume(api, engine, until), new_uuid()
    given = {"attachment": {"volume_uuid": volume_id, "instance_uuid": server_id}}
    assert api.post("/v3/attachments", given).status_code == 404
    made = api.post("/v3/attachments", given, headers=V)
    assert made.status_code == 200
    attachment = made.json["attachment"]
    assert (attachment["status"], attachment["instance"]) == ("reserved", server_id)
    assert (attachment["connection_info"], status(api, volume_id)) == ({}, "reserved")
    assert api.post("/v3/attachments", given, headers=V).status_code == 400
    url = f"/v3/attachments/{attachment['id']}"
    assert api.put(url, {"attachment": {"connector": {"host": "h"}}}, headers=V).status_code == 400
    told = api.put(url, {"attachment": {"connector": CONNECTOR}}, headers=V).json["attachment"]
    info = told["connection_info"]
    export = engine.hosts["store1"].exports[attachment["id"]]
    assert (info["target_portal"], info["target_iqn"]) == ("192.0.2.1:3260", export.iqn)
    assert (info["auth_password"], export.initiator) == (export.chap_password, CONNECTOR["initiator"])
    assert status(api, volume_id) == "attaching"
    assert api.post(f"{url}/action", {"os-complete": None}, headers=V).status_code == 204
    assert status(api, volume_id) == "in-use"
    assert api.get(f"/v3/attachments?volume_id={volume_id}", headers=V).json["attachments"] == [
        {"id": attachment["id"], "status": "attached", "instance": server_id, "volume_id": volume_id}
    ]
    assert "connection_info" in api.get("/v3/attachments/detail", headers=V).json["attachments"][0]
    assert api.delete(url, headers=V).json == {"attachments": []}
    until(lambda: status(api, volume_id) == "available")
    assert engine.hosts["store1"].exports == {}
    assert api.get(url, headers=V).status_code == 404


def test_connected_at_once(api: Any, engine: Any, until: Until) -> None:
    given = {"attachment": {"volume_uuid": volume(api, engine, until), "connector": CONNECTOR, "mode": "ro"}}
    made = api.post("/v3/attachments", given, headers=V).json["attachment"]
    assert (made["connection_info"]["access_mode"], made["attach_mode"]) == ("ro", "ro")
    assert engine.hosts["store1"].exports[made["id"]].is_read_only


def test_of_another_project_is_not_there(api: Any, engine: Any, until: Until) -> None:
    volume_id = volume(api, engine, until)
    given = {"attachment": {"volume_uuid": volume_id}}
    assert api.post("/v3/attachments", given, headers=V, token="member@beta").status_code == 404
    attachment_id = api.post("/v3/attachments", given, headers=V).json["attachment"]["id"]
    url = f"/v3/attachments/{attachment_id}"
    other: dict[str, Any] = {"headers": V, "token": "member@beta"}
    assert api.get("/v3/attachments", **other).json == {"attachments": []}
    assert api.get(f"/v3/attachments?volume_id={volume_id}&all_tenants=1", **other).json == {
        "attachments": []
    }
    assert api.get(url, **other).status_code == 404
    assert api.put(url, {"attachment": {"connector": CONNECTOR}}, **other).status_code == 404
    assert api.post(f"{url}/action", {"os-complete": None}, **other).status_code == 404
    assert api.delete(url, **other).status_code == 404
    assert api.get(url, headers=V, token="admin@beta").status_code == 200


def test_a_servers_volume_cannot_be_pulled_away(api: Any, engine: Any, until: Until) -> None:
    """CVE-2023-2088: only the compute service ends what it attached."""
    volume_id, server_id = volume(api, engine, until), new_uuid()
    attachment = engine.db.write(lambda s: server.reserve(s, ALPHA, volume_id, server_id, None))
    engine.db.write(lambda s: server.export(s, attachment.id, "h", "iqn"))
    until(lambda: engine.db.write(lambda s: server.is_exported(s, attachment.id)[0]) == "applied")
    engine.db.write(lambda s: server.mark_attached(s, attachment.id))
    url = f"/v3/attachments/{attachment.id}"
    for token in ("member", "admin"):
        assert api.get(url, headers=V, token=token).json["attachment"]["connection_info"] == {}
        assert api.delete(url, headers=V, token=token).status_code == 409
        body = {"attachment": {"connector": CONNECTOR}}
        assert api.put(url, body, headers=V, token=token).status_code == 409
        assert api.post(f"{url}/action", {"os-complete": {}}, headers=V, token=token).status_code == 409
        action = f"/v3/volumes/{volume_id}/action"
        for name, given in (
            ("os-detach", {}),
            ("os-detach", {"attachment_id": attachment.id}),
            ("os-begin_detaching", None),
            ("os-terminate_connection", {"connector": {}}),
        ):
            assert api.post(action, {name: given}, token=token).status_code == 409, name
        api.post(action, {"os-unreserve": None}, token=token)
        api.post(action, {"os-roll_detaching": None}, token=token)
        assert api.delete(f"/v3/volumes/{volume_id}", token=token).status_code == 400
    assert api.post(action, {"os-force_detach": {}}, token="admin").status_code == 409
    assert api.post(action, {"os-force_delete": {}}, token="admin").status_code == 400
    given = {"os-reset_status": {"status": "available", "attach_status": "detached"}}
    assert api.post(action, given, token="admin").status_code == 400
    assert status(api, volume_id) == "in-use"
    assert attachment.id in engine.hosts["store1"].exports
