"""/types, extra specs and access."""

from collections.abc import Callable
from typing import Any

from controller.db.columns import new_uuid

BETA = "b" * 32
Until = Callable[[Callable[[], bool]], None]


def create(api: Any, name: str = "fast", **given: Any) -> str:
    made = api.post("/v3/types", {"volume_type": {"name": name, **given}}, token="admin")
    assert made.status_code == 200, made.text
    return str(made.json["volume_type"]["id"])


def test_manage(api: Any) -> None:
    type_id = create(
        api, description="d", extra_specs={"volume_backend_name": "ssd", "multiattach": "<is> True"}
    )
    url = f"/v3/types/{type_id}"
    assert api.get(url, token="admin").json["volume_type"]["extra_specs"]["volume_backend_name"] == "ssd"
    mine = api.get(url).json["volume_type"]
    assert mine["extra_specs"] == {"multiattach": "<is> True"}
    assert mine["os-volume-type-access:is_public"] is True
    assert api.post("/v3/types", {"volume_type": {"name": "fast"}}, token="admin").status_code == 409
    for body in ({}, {"name": ""}, {"name": " "}, {"name": "x" * 256}, {"name": "y", "x": 1}):
        assert api.post("/v3/types", {"volume_type": body}, token="admin").status_code == 400, body
    assert api.post("/v3/types", {"volume_type": {"name": "y"}}).status_code == 403
    assert (
        api.put(url, {"volume_type": {"name": "slow"}}, token="admin").json["volume_type"]["name"] == "slow"
    )
    assert api.put(url, {"volume_type": {"name": None}}, token="admin").status_code == 400
    assert api.get("/v3/types/default").json["volume_type"]["name"] == "__DEFAULT__"
    assert api.delete(url, token="admin").status_code == 202
    assert api.get(url).status_code == 404
    default = api.get("/v3/types/default").json["volume_type"]["id"]
    assert api.delete(f"/v3/types/{default}", token="admin").status_code == 400
    assert api.delete(f"/v3/types/{new_uuid()}", token="admin").status_code == 404


def test_extra_specs(api: Any) -> None:
    type_id = create(api)
    url = f"/v3/types/{type_id}/extra_specs"
    assert api.post(url, {"extra_specs": {"a": "1"}}, token="admin").json == {"extra_specs": {"a": "1"}}
    assert api.put(f"{url}/a", {"a": "2"}, token="admin").json == {"a": "2"}
    assert api.put(f"{url}/a", {"b": "2"}, token="admin").status_code == 400
    assert api.put(f"{url}/a", {"a": "2", "b": "3"}, token="admin").status_code == 400
    assert api.post(url, {"extra_specs": {"k/k": "1"}}, token="admin").status_code == 400
    assert api.post(url, {"extra_specs": None}, token="admin").status_code == 400
    assert api.get(f"{url}/a", token="admin").json == {"a": "2"}
    assert api.get(f"{url}/a").status_code == 404
    assert api.get(url).json == {"extra_specs": {}}
    assert api.delete(f"{url}/a", token="admin").status_code == 202
    assert api.delete(f"{url}/a", token="admin").status_code == 404


def test_a_used_type_stays_as_it_is(api: Any) -> None:
    type_id = create(api)
    assert api.post("/v3/volumes", {"volume": {"size": 1, "volume_type": "fast"}}).status_code == 202
    assert api.delete(f"/v3/types/{type_id}", token="admin").status_code == 400
    body = {"extra_specs": {"a": "1"}}
    assert api.post(f"/v3/types/{type_id}/extra_specs", body, token="admin").status_code == 400


def test_private_types(api: Any) -> None:
    made = {"name": "own", "os-volume-type-access:is_public": False}
    type_id = api.post("/v3/types", {"volume_type": made}, token="admin").json["volume_type"]["id"]
    url, action = f"/v3/types/{type_id}", f"/v3/types/{type_id}/action"
    assert api.get(url, token="member@beta").status_code == 404
    wanted = {"volume": {"size": 1, "volume_type": type_id}}
    assert api.post("/v3/volumes", wanted, token="member@beta").status_code == 404
    give = {"addProjectAccess": {"project": BETA}}
    assert api.post(action, give, token="admin").status_code == 202
    assert api.post(action, give, token="admin").status_code == 409
    assert api.get(f"{url}/os-volume-type-access", token="admin").json == {
        "volume_type_access": [{"volume_type_id": type_id, "project_id": BETA}]
    }
    assert api.get(url, token="member@beta").status_code == 200
    assert len(api.get("/v3/types", token="member@beta").json["volume_types"]) == 2
    assert len(api.get("/v3/types").json["volume_types"]) == 1
    assert len(api.get("/v3/types?is_public=none", token="admin").json["volume_types"]) == 2
    assert len(api.get("/v3/types?is_public=false", token="admin").json["volume_types"]) == 1
    take = {"removeProjectAccess": {"project": BETA}}
    assert api.post(action, take, token="admin").status_code == 202
    assert api.post(action, take, token="admin").status_code == 404
    assert api.post(action, {"fly": {}}, token="admin").status_code == 400


def test_backend_of_a_type_decides_the_host(api: Any, engine: Any, until: Until) -> None:
    engine.host("store1", "lvm")
    engine.host("store2", "ssd", free_gib=100)
    create(api, extra_specs={"volume_backend_name": "ssd"})
    made = api.post("/v3/volumes", {"volume": {"size": 1, "volume_type": "fast"}}).json["volume"]

    def host() -> Any:
        shown = api.get(f"/v3/volumes/{made['id']}", token="admin").json["volume"]
        return shown["os-vol-host-attr:host"]

    until(lambda: host() is not None)
    assert host() == "store2@ssd#ssd"
