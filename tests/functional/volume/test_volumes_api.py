"""/volumes as clients see it."""

from collections.abc import Callable
from typing import Any

import pytest

from controller.db.columns import new_uuid

ALPHA, BETA = "a" * 32, "b" * 32
Until = Callable[[Callable[[], bool]], None]


def at(version: str) -> dict[str, str]:
    return {"OpenStack-API-Version": f"volume {version}"}


def create(api: Any, **given: Any) -> dict[str, Any]:
    made = api.post(f"/v3/{ALPHA}/volumes", {"volume": {"size": 1, **given}}, headers=at("3.71"))
    assert made.status_code == 202, made.text
    body: dict[str, Any] = made.json["volume"]
    return body


def available(api: Any, engine: Any, until: Until, **given: Any) -> str:
    if not engine.hosts:
        engine.host()
    volume_id: str = create(api, **given)["id"]
    until(lambda: shown(api, volume_id)["status"] == "available")
    return volume_id


def shown(api: Any, volume_id: str, **more: Any) -> dict[str, Any]:
    answer = api.get(f"/v3/volumes/{volume_id}", **more)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json["volume"]
    return body


def act(api: Any, volume_id: str, name: str, given: Any = None, **more: Any) -> Any:
    return api.post(f"/v3/volumes/{volume_id}/action", {name: given}, **more)


def test_versions(api: Any) -> None:
    every = api.get("/", token="")
    assert every.status_code == 300
    assert every.json["versions"][0]["version"] == "3.71"
    assert api.get("/v3/", token="").json["versions"][0]["min_version"] == "3.0"
    assert api.get("/v3/volumes", headers=at("3.72")).status_code == 406
    assert api.get("/v3/volumes", headers=at("x")).status_code == 400
    assert api.get("/v3/volumes", headers=at("3.10")).headers["openstack-api-version"] == "volume 3.10"


def test_the_project_of_the_url_must_be_the_tokens(api: Any) -> None:
    assert api.get(f"/v3/{ALPHA}/volumes").status_code == 200
    assert api.get(f"/v3/{BETA}/volumes").status_code == 400
    assert api.get(f"/v3/{BETA}/volumes", token="admin@alpha").status_code == 400


def test_create_shows_the_volume(api: Any) -> None:
    volume = create(api, name=" vol ", description="d", metadata={"a": "b"})
    assert (volume["name"], volume["status"], volume["size"]) == ("vol", "creating", 1)
    assert volume["volume_type"] == "__DEFAULT__"
    assert volume["bootable"] == "false"
    assert volume["metadata"] == {"a": "b"}
    assert "volume_image_metadata" not in volume
    assert not any(name.startswith("os-vol") for name in volume)
    assert volume["links"][0]["href"].endswith(f"/volume/v3/{ALPHA}/volumes/{volume['id']}")
    mine = shown(api, volume["id"])
    assert mine["os-vol-tenant-attr:tenant_id"] == ALPHA
    assert "os-vol-host-attr:host" not in mine
    assert "os-vol-host-attr:host" in shown(api, volume["id"], token="admin@beta")


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("3.0", set()),
        ("3.13", {"group_id"}),
        ("3.48", {"group_id", "shared_targets", "service_uuid"}),
        ("3.65", {"group_id", "shared_targets", "service_uuid", "volume_type_id", "consumes_quota"}),
    ],
)
def test_fields_come_with_microversions(api: Any, version: str, names: set[str]) -> None:
    volume_id = create(api)["id"]
    later = {"group_id", "shared_targets", "service_uuid", "volume_type_id", "consumes_quota"}
    assert set(shown(api, volume_id, headers=at(version))) & later == names


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 400),
        ({"size": 0}, 400),
        ({"size": -1}, 400),
        ({"size": "#$%"}, 400),
        ({"size": ""}, 400),
        ({"size": "99999999999"}, 400),
        ({"size": 1.5}, 400),
        ({"size": True}, 400),
        ({"size": None}, 400),
        ({"size": 1, "name": "x" * 256}, 400),
        ({"size": 1, "name": 5}, 400),
        ({"size": 1, "name": "bad\x00"}, 400),
        ({"size": 1, "metadata": {"k": 1}}, 400),
        ({"size": 1, "metadata": {"": "v"}}, 400),
        ({"size": 1, "metadata": {"k" * 256: "v"}}, 400),
        ({"size": 1, "availability_zone": "elsewhere"}, 400),
        ({"size": 1, "multiattach": True}, 400),
        ({"size": 1, "imageRef": new_uuid()}, 400),
        ({"size": 1, "unknown": 1}, 400),
        ({"size": 1, "volume_type": "nowhere"}, 404),
        ({"size": 1, "snapshot_id": new_uuid()}, 404),
        ({"size": 1, "source_volid": new_uuid()}, 404),
        ({"size": 1001}, 413),
    ],
)
def test_bad_creates(api: Any, given: dict[str, Any], status: int) -> None:
    answer = api.post("/v3/volumes", {"volume": given}, headers=at("3.71"))
    assert answer.status_code == status, answer.text
    key = {400: "badRequest", 404: "itemNotFound", 413: "overLimit"}[status]
    assert answer.json[key]["code"] == status
    assert answer.json[key]["message"]


def test_unknown_names_were_taken_before_3_53(api: Any) -> None:
    assert api.post("/v3/volumes", {"volume": {"size": "1", "x": 1}}, headers=at("3.52")).status_code == 202
    assert api.post("/v3/volumes", {"volume": 5}).status_code == 400
    assert api.post("/v3/volumes", {}).status_code == 400
    assert api.post("/v3/volumes", [1]).status_code == 400
    assert api.post("/v3/volumes", {"volume": {"size": 1}, "x": {}}).status_code == 400


def test_update(api: Any) -> None:
    volume_id = create(api)["id"]
    url = f"/v3/volumes/{volume_id}"
    assert api.put(url, {"volume": {"display_name": "n", "description": None}}).json["volume"]["name"] == "n"
    assert api.put(url, {"volume": {}}, headers=at("3.53")).status_code == 400
    assert api.put(url, {"volume": {}}).status_code == 200
    assert api.put(url, {"volume": {"size": 2}}).status_code == 400
    assert api.put("/v3/volumes/nowhere", {"volume": {"name": "x"}}).status_code == 404
    assert api.put("/v3/volumes/", {"volume": {"name": "x"}}).status_code == 404
    assert api.delete("/v3/volumes/").status_code == 404


def test_delete(api: Any, engine: Any, until: Until) -> None:
    volume_id = available(api, engine, until)
    assert (
        api.delete(f"/v3/volumes/{volume_id}?cascade=False&force=False", headers=at("3.71")).status_code
        == 202
    )
    until(lambda: api.get(f"/v3/volumes/{volume_id}").status_code == 404)
    assert api.delete(f"/v3/volumes/{volume_id}").status_code == 404
    assert api.get("/v3/volumes").json == {"volumes": []}


def test_only_administrators_force(api: Any, engine: Any, until: Until) -> None:
    engine.host().is_silent = True
    volume_id = create(api)["id"]
    assert api.delete(f"/v3/volumes/{volume_id}").status_code == 400
    assert api.delete(f"/v3/volumes/{volume_id}?force=true", headers=at("3.23")).status_code == 403
    assert act(api, volume_id, "os-force_delete").status_code == 403
    assert act(api, volume_id, "os-force_delete", token="admin").status_code == 202
    engine.hosts["store1"].speak()
    until(lambda: api.get(f"/v3/volumes/{volume_id}").status_code == 404)


def test_lists_page_sort_and_filter(api: Any, engine: Any, until: Until) -> None:
    ids = [available(api, engine, until, name=f"v{n}", size=n + 1, metadata={"n": str(n)}) for n in range(3)]

    def listed(query: str, version: str = "3.71", **more: Any) -> list[str]:
        answer = api.get(f"/v3/volumes/detail?{query}", headers=at(version), **more)
        assert answer.status_code == 200, answer.text
        return [v["id"] for v in answer.json["volumes"]]

    assert listed("") == ids[::-1]
    assert listed("sort=size:asc") == ids
    assert listed("sort_key=name&sort_dir=asc") == ids
    assert listed(f"limit=1&marker={ids[2]}") == [ids[1]]
    assert listed("name=v1") == [ids[1]]
    assert listed("name~=v", "3.34") == ids[::-1]
    assert listed("metadata={'n': '2'}") == [ids[2]]
    assert listed("status=error") == []
    assert listed("bootable=true") == []
    assert listed("size=2") == [ids[1]]
    assert listed("created_at=gt:2020-01-01T00:00:00,lt:2020-01-02T00:00:00") == []
    assert listed("all_tenants=1&project_id=" + BETA, token="admin") == []
    assert len(listed("all_tenants=1", token="admin@beta")) == 3
    assert listed("all_tenants=1", token="member@beta") == []
    assert listed("offset=2") == [ids[0]]
    page = api.get("/v3/volumes?limit=2&with_count=true", headers=at("3.45")).json
    assert page["count"] == 3
    assert f"marker={ids[1]}" in page["volumes_links"][0]["href"]
    for query in (
        "limit=x",
        "limit=-1",
        "unknown=1",
        "metadata=[",
        "bootable=maybe",
        "sort_key=secret",
        "created_at=near:2020-01-01",
        "all_tenants=perhaps",
        "size=big",
    ):
        assert api.get(f"/v3/volumes/detail?{query}", headers=at("3.71")).status_code == 400, query
    assert api.get("/v3/volumes?marker=nowhere").status_code == 404
    assert api.get("/v3/volumes?unknown=1", headers=at("3.30")).status_code == 200


def test_a_list_costs_the_same_whatever_its_length(api: Any, engine: Any, queries: Any, until: Until) -> None:
    available(api, engine, until)
    with queries() as few:
        api.get("/v3/volumes/detail")
    for _ in range(5):
        available(api, engine, until)
    with queries() as many:
        assert len(api.get("/v3/volumes/detail").json["volumes"]) == 6

    def selects(seen: list[str]) -> int:
        return sum("volumes" in s or "volume_types" in s or "volume_attachments" in s for s in seen)

    assert selects(few) == selects(many) == 3


def test_summary(api: Any) -> None:
    create(api, size=3, metadata={"k": "v"})
    create(api, size=4)
    assert api.get("/v3/volumes/summary", headers=at("3.11")).status_code == 404
    assert api.get("/v3/volumes/summary", headers=at("3.12")).json == {
        "volume-summary": {"total_count": 2, "total_size": 7}
    }
    with_metadata = api.get("/v3/volumes/summary", headers=at("3.36")).json["volume-summary"]
    assert with_metadata["metadata"] == {"k": ["v"]}


def test_metadata(api: Any) -> None:
    volume_id = create(api, metadata={"a": "1"})["id"]
    url = f"/v3/volumes/{volume_id}/metadata"
    assert api.post(url, {"metadata": {"b": "2"}}).json == {"metadata": {"a": "1", "b": "2"}}
    assert api.put(url, {"metadata": {"c": "3"}}).json == {"metadata": {"c": "3"}}
    assert api.put(f"{url}/d", {"meta": {"d": "4"}}).json == {"meta": {"d": "4"}}
    assert api.get(f"{url}/d").json == {"meta": {"d": "4"}}
    assert api.put(f"{url}/d", {"meta": {"e": "4"}}).status_code == 400
    assert api.put(f"{url}/d", {"meta": {"d": "4", "e": "5"}}).status_code == 400
    assert api.delete(f"{url}/d").status_code == 200
    assert api.delete(f"{url}/d").status_code == 404
    assert api.get(f"{url}/d").status_code == 404
    tag = api.get(url, headers=at("3.15")).headers["etag"]
    assert api.put(url, {"metadata": {}}, headers={**at("3.15"), "If-Match": "x"}).status_code == 412
    assert api.put(url, {"metadata": {}}, headers={**at("3.15"), "If-Match": tag}).status_code == 200


def test_extend(api: Any, engine: Any, until: Until) -> None:
    volume_id = available(api, engine, until)
    for size in (0, -1, 1, "x", None, 2**40):
        assert act(api, volume_id, "os-extend", {"new_size": size}).status_code == 400, size
    assert act(api, volume_id, "os-extend", {"new_size": 2000}).status_code == 413
    assert act(api, volume_id, "os-extend", {"new_size": "3"}).status_code == 202
    until(lambda: shown(api, volume_id)["size"] == 3)
    assert shown(api, volume_id)["status"] == "available"
    engine.hosts["store1"].refuses["volume"] = "full"
    assert act(api, volume_id, "os-extend", {"new_size": 5}).status_code == 202
    until(lambda: shown(api, volume_id)["status"] == "error_extending")
    assert shown(api, volume_id)["size"] == 3
    assert api.get("/v3/limits").json["limits"]["absolute"]["totalGigabytesUsed"] == 3


def test_flags_and_image_metadata(api: Any, engine: Any, until: Until) -> None:
    volume_id = available(api, engine, until)
    assert act(api, volume_id, "os-set_bootable", {"bootable": "yes"}).status_code == 200
    assert shown(api, volume_id)["bootable"] == "true"
    assert act(api, volume_id, "os-set_bootable", {"bootable": "perhaps"}).status_code == 400
    assert act(api, volume_id, "os-update_readonly_flag", {"readonly": True}).status_code == 202
    assert shown(api, volume_id)["metadata"] == {"readonly": "True"}
    assert act(api, volume_id, "os-set_image_metadata", {"metadata": {"k": "v"}}).json == {
        "metadata": {"k": "v"}
    }
    assert shown(api, volume_id)["volume_image_metadata"] == {"k": "v"}
    assert act(api, volume_id, "os-show_image_metadata").json == {"metadata": {"k": "v"}}
    assert act(api, volume_id, "os-unset_image_metadata", {"key": "k"}).status_code == 200
    assert act(api, volume_id, "os-unset_image_metadata", {"key": "k"}).status_code == 404
    assert act(api, volume_id, "os-fly").status_code == 400
    assert api.post(f"/v3/volumes/{volume_id}/action", {}).status_code == 400
    assert api.post(f"/v3/volumes/{volume_id}/action", []).status_code == 400


def test_reset_status(api: Any, engine: Any, until: Until) -> None:
    volume_id = available(api, engine, until)
    assert act(api, volume_id, "os-reset_status", {"status": "error"}).status_code == 403
    for given in ({"status": "nonsense"}, {}, {"status": "in-use"}, {"status": "deleting"}):
        assert act(api, volume_id, "os-reset_status", given, token="admin").status_code == 400, given
    for word in ("creating", "maintenance", "error", "available"):
        assert act(api, volume_id, "os-reset_status", {"status": word}, token="admin").status_code == 202
        assert shown(api, volume_id)["status"] == word


def test_legacy_attachments(api: Any, engine: Any, until: Until) -> None:
    volume_id, server_id = available(api, engine, until), new_uuid()
    given = {"instance_uuid": server_id, "mountpoint": "/dev/vdc"}
    assert act(api, volume_id, "os-attach", {"mountpoint": "/dev/vdc"}).status_code == 400
    assert act(api, volume_id, "os-reserve").status_code == 202
    assert act(api, volume_id, "os-reserve").status_code == 400
    assert act(api, volume_id, "os-unreserve").status_code == 202
    assert act(api, volume_id, "os-attach", given).status_code == 202
    volume = shown(api, volume_id)
    assert volume["status"] == "in-use"
    (attachment,) = volume["attachments"]
    assert (attachment["server_id"], attachment["device"]) == (server_id, "/dev/vdc")
    assert api.delete(f"/v3/volumes/{volume_id}").status_code == 400
    assert act(api, volume_id, "os-force_delete", token="admin").status_code == 400
    assert act(api, volume_id, "os-detach", {"attachment_id": new_uuid()}).status_code == 400
    assert act(api, volume_id, "os-begin_detaching").status_code == 202
    assert act(api, volume_id, "os-roll_detaching").status_code == 202
    assert act(api, volume_id, "os-detach", {}).status_code == 202
    assert shown(api, volume_id)["status"] == "available"
    assert act(api, volume_id, "os-terminate_connection", {"connector": {}}).status_code == 202


def test_what_comes_later_is_not_there(api: Any) -> None:
    for path in ("snapshots", "snapshots/detail", "backups", "groups", "os-volume-transfer"):
        assert api.get(f"/v3/{path}").status_code == 404
        assert api.get(f"/v3/{ALPHA}/{path}").status_code == 404


@pytest.mark.parametrize(
    "query", ["offset=²", f"size={'9' * 30}", f"limit={'9' * 30}", "name=%00", "sort=links"]
)
def test_odd_queries_are_no_bugs(api: Any, query: str) -> None:
    assert api.get(f"/v3/volumes/detail?{query}", headers=at("3.71")).status_code < 500
