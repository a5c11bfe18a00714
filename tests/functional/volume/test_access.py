"""Every route with every method: who has no role gets nothing, and another project's things are not there."""

from collections.abc import Callable
from typing import Any

import pytest

from controller.db.columns import new_uuid
from controller.volume.routes import ROUTES

V = {"OpenStack-API-Version": "volume 3.71"}
METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH")
PATHS = sorted(
    {str(route[0]) for route in ROUTES if route[0].startswith("/v3/") and "{project_id}" not in route[0]}
)
#: Bodies that pass for one where a URL reads the body before it asks who may.
BODIES = {"/v3/volumes/{volume_id}/action": {"os-extend": {"new_size": 5}}}
Until = Callable[[Callable[[], bool]], None]


def filled(path: str, **names: str) -> str:
    for name in ("volume_id", "attachment_id", "type_id", "key", "action", "host", "target", "name", "alias"):
        path = path.replace("{" + name + "}", names.get(name, "x"))
    return path


@pytest.mark.parametrize("path", PATHS)
def test_without_a_role_nothing_is_answered(api: Any, path: str) -> None:
    for method in METHODS:
        answer = api.call(method, filled(path), BODIES.get(path, {}), token="nobody", headers=V)
        assert answer.status_code in (403, 404), (method, path)
        if answer.status_code == 404:
            as_admin = api.call(method, filled(path), BODIES.get(path, {}), token="admin", headers=V)
            assert as_admin.status_code == 404, (method, path)
        assert api.call(method, filled(path), {}, token="", headers=V).status_code == 401


def test_readers_change_nothing(api: Any, engine: Any) -> None:
    volume_id = api.post("/v3/volumes", {"volume": {"size": 1}}, headers=V).json["volume"]["id"]
    for path in PATHS:
        for method in ("PUT", "POST", "DELETE"):
            url = filled(path, volume_id=volume_id, type_id="default", action="enable")
            answer = api.call(method, url, BODIES.get(path, {}), token="reader", headers=V)
            assert answer.status_code in (403, 404), (method, url)


@pytest.mark.parametrize("path", [p for p in PATHS if "{volume_id}" in p])
def test_another_projects_volume_is_not_there(api: Any, path: str) -> None:
    made = api.post("/v3/volumes", {"volume": {"size": 1, "metadata": {"x": "y"}}}, headers=V)
    url = filled(path, volume_id=made.json["volume"]["id"])
    bodies = {
        "/v3/volumes/{volume_id}": {"volume": {"name": "mine"}},
        "/v3/volumes/{volume_id}/metadata": {"metadata": {"x": "z"}},
        "/v3/volumes/{volume_id}/metadata/{key}": {"meta": {"x": "z"}},
        **BODIES,
    }
    for method in METHODS:
        answer = api.call(method, url, bodies[path], token="member@beta", headers=V)
        assert answer.status_code == 404, (method, url)


def test_every_action_on_another_projects_volume(api: Any) -> None:
    volume_id = api.post("/v3/volumes", {"volume": {"size": 1}}, headers=V).json["volume"]["id"]
    given: dict[str, Any] = {
        "os-attach": {"instance_uuid": new_uuid(), "mountpoint": "/dev/vdb"},
        "os-detach": {},
        "os-reserve": None,
        "os-unreserve": None,
        "os-begin_detaching": None,
        "os-roll_detaching": None,
        "os-terminate_connection": {"connector": None},
        "os-extend": {"new_size": 2},
        "os-set_bootable": {"bootable": True},
        "os-update_readonly_flag": {"readonly": True},
        "os-set_image_metadata": {"metadata": {}},
        "os-show_image_metadata": None,
        "os-unset_image_metadata": {"key": "k"},
    }
    for name, body in given.items():
        answer = api.post(f"/v3/volumes/{volume_id}/action", {name: body}, token="member@beta")
        assert answer.status_code == 404, name
    for name in ("os-reset_status", "os-force_delete", "os-force_detach"):
        answer = api.post(f"/v3/volumes/{volume_id}/action", {name: {"status": "error"}}, token="member@beta")
        assert answer.status_code == 403, name


def test_secrets_are_in_no_answer_and_not_in_the_clear(api: Any, engine: Any, until: Until) -> None:
    engine.host()
    volume_id = api.post("/v3/volumes", {"volume": {"size": 1}}).json["volume"]["id"]
    until(lambda: bool(api.get(f"/v3/volumes/{volume_id}").json["volume"]["status"] == "available"))
    given = {"attachment": {"volume_uuid": volume_id, "connector": {"initiator": "iqn.x", "host": "h"}}}
    made = api.post("/v3/attachments", given, headers=V).json["attachment"]
    password = made["connection_info"]["auth_password"]
    assert password not in api.get(f"/v3/volumes/{volume_id}").text
    assert password not in api.get("/v3/attachments", headers=V).text
    one = api.get(f"/v3/attachments/{made['id']}", headers=V, token="reader")
    assert (one.status_code, one.json["attachment"]["connection_info"]) == (200, {})
    detail = api.get("/v3/attachments/detail", headers=V, token="reader")
    assert password not in detail.text
