"""Images by REST: bodies, statuses and rights as Glance's clients expect them."""

import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., dict[str, Any]]
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
OLD_PATCH = {"Content-Type": "application/openstack-images-v2.0-json-patch"}


def patch(api: Any, image_id: str, *changes: Any, token: str = "member", headers: Any = None) -> Any:
    sent = {"X-Auth-Token": token, **(headers or PATCH)}
    body = json.dumps(list(changes)).encode()
    return api._client.simulate_patch(f"/v2/images/{image_id}", headers=sent, body=body)


def names(api: Any, query: str = "", token: str = "member") -> list[str]:
    answer = api.get(f"/v2/images?{query}", token=token)
    assert answer.status_code == 200, answer.text
    return sorted(i["name"] for i in answer.json["images"])


def test_versions(api: Any) -> None:
    for path, status in (("/", 300), ("/versions", 200)):
        answer = api.get(path, token="")
        assert answer.status_code == status
        assert answer.json["versions"][0]["status"] == "CURRENT"
        assert answer.json["versions"][0]["links"][0]["href"].endswith("/image/v2/")
    assert api.get("/v2/images", token="").status_code == 401


def test_create_and_show(api: Any) -> None:
    body = {"name": "one", "tags": ["b", "a", "a"], "os_distro": "debian", "kernel_id": None}
    made = api.post("/v2/images", body)
    assert made.status_code == 201
    assert made.headers["openstack-image-import-methods"] == "glance-direct"
    shown = made.json
    assert made.headers["location"].endswith(f"/v2/images/{shown['id']}")
    assert shown == api.get(f"/v2/images/{shown['id']}").json
    assert (shown["status"], shown["visibility"], shown["tags"]) == ("queued", "shared", ["a", "b"])
    assert (shown["os_distro"], shown["kernel_id"], shown["size"]) == ("debian", None, None)
    assert shown["file"] == f"/v2/images/{shown['id']}/file"
    assert shown["created_at"].endswith("Z") and shown["updated_at"] == shown["created_at"]


def test_an_empty_name_is_not_there(api: Any, image: Make) -> None:
    image()
    assert api.get("/v2/images/").status_code == 404
    assert api.delete("/v2/images/").status_code == 404
    assert api.get("/v2/").status_code == 300
    assert api.get("/v2/images").status_code == 200


def test_id_may_be_given_once(api: Any) -> None:
    given = str(uuid.uuid4())
    assert api.post("/v2/images", {"id": given}).json["id"] == given
    assert api.post("/v2/images", {"id": given}).status_code == 409
    assert api.post("/v2/images", {"id": "../etc"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ({"disk_format": "floppy"}, 400),
        ({"visibility": "secret"}, 400),
        ({"min_ram": -1}, 400),
        ({"min_ram": 1 << 40}, 400),
        ({"min_disk": True}, 400),
        ({"name": "n" * 256}, 400),
        ({"tags": ["t" * 256]}, 400),
        ({"x": 5}, 400),
        ({"x" * 256: "y"}, 400),
        ({"kernel_id": "x"}, 400),
        ({"status": "active"}, 403),
        ({"checksum": "x"}, 403),
        ({"self": "x"}, 403),
        ({"deleted": "x"}, 403),
        ({"os_glance_x": "x"}, 403),
        ({"owner": "other"}, 403),
        ({"visibility": "public"}, 403),
    ],
)
def test_bad_bodies(api: Any, body: Any, status: int) -> None:
    answer = api.post("/v2/images", body)
    assert answer.status_code == status
    assert set(answer.json) == {"message", "code", "title"}


def test_roles(api: Any, image: Make) -> None:
    assert api.post("/v2/images", {}, token="reader").status_code == 403
    one = image()
    assert api.get(f"/v2/images/{one['id']}", token="reader").status_code == 200
    assert api.get(f"/v2/images/{one['id']}", token="reader@beta").status_code == 404
    assert api.delete(f"/v2/images/{one['id']}", token="member@beta").status_code == 404
    assert patch(api, one["id"], {"op": "add", "path": "/a", "value": "b"}, token="reader").status_code == 403
    public = image(token="admin@admin", visibility="public")
    assert api.get(f"/v2/images/{public['id']}", token="reader@beta").status_code == 200
    assert api.delete(f"/v2/images/{public['id']}", token="member@beta").status_code == 403
    assert api.get(f"/v2/images/{one['id']}", token="admin").status_code == 200


def test_patch(api: Any, image: Make) -> None:
    one = image(name="one", a="1")
    answer = patch(
        api,
        one["id"],
        {"op": "replace", "path": "/name", "value": "two"},
        {"op": "add", "path": "/b~1c", "value": "2"},
        {"op": "remove", "path": "/a"},
        {"op": "replace", "path": "/tags", "value": ["x"]},
        {"op": "replace", "path": "/min_ram", "value": 64},
    )
    assert answer.status_code == 200
    assert (answer.json["name"], answer.json["b/c"], answer.json["tags"]) == ("two", "2", ["x"])
    assert "a" not in answer.json and answer.json["min_ram"] == 64
    old = patch(api, one["id"], {"add": "/d", "value": "3"}, headers=OLD_PATCH)
    assert old.json["d"] == "3"
    assert patch(api, one["id"], {"add": "/d", "value": "3"}, headers=OLD_PATCH).status_code == 409


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"op": "replace", "path": "/id", "value": str(uuid.uuid4())}, 403),
        ({"op": "replace", "path": "/status", "value": "active"}, 403),
        ({"op": "add", "path": "/os_glance_x", "value": "x"}, 403),
        ({"op": "add", "path": "/locations/-", "value": {}}, 403),
        ({"op": "remove", "path": "/name"}, 403),
        ({"op": "replace", "path": "/owner", "value": "x"}, 403),
        ({"op": "replace", "path": "/visibility", "value": "public"}, 403),
        ({"op": "remove", "path": "/nothing"}, 409),
        ({"op": "replace", "path": "/nothing", "value": "x"}, 409),
        ({"op": "replace", "path": "/min_disk", "value": -1}, 400),
        ({"op": "replace", "path": "/nothing", "value": 5}, 400),
        ({"op": "test", "path": "/name", "value": "x"}, 400),
        ({"op": "add", "path": "/a"}, 400),
        ({"op": "add", "value": "a"}, 400),
        ({"op": "add", "path": "a", "value": "a"}, 400),
        ({"op": "add", "path": "/a/b", "value": "a"}, 400),
        ({"op": "add", "path": "/a~2", "value": "a"}, 400),
        ({"op": "add", "path": 5, "value": "a"}, 400),
        ("x", 400),
    ],
)
def test_bad_patches(api: Any, image: Make, change: Any, status: int) -> None:
    one = image(name="one")
    assert patch(api, one["id"], change).status_code == status
    assert api.get(f"/v2/images/{one['id']}").json == one


def test_patch_wants_its_content_type(api: Any, image: Make) -> None:
    answer = patch(api, image()["id"], headers={"Content-Type": "application/json"})
    assert answer.status_code == 415
    assert "v2.1-json-patch" in answer.headers["accept-patch"]


def test_formats_are_fixed_once_there_is_data(api: Any, image: Make) -> None:
    change = {"op": "replace", "path": "/disk_format", "value": "qcow2"}
    assert patch(api, image()["id"], change).status_code == 200
    assert patch(api, image(b"x")["id"], change).status_code == 403


def test_delete(api: Any, image: Make, store: Any) -> None:
    one = image(b"data", protected=True)
    path = f"/v2/images/{one['id']}"
    assert api.delete(path).status_code == 403
    patch(api, one["id"], {"op": "replace", "path": "/protected", "value": False})
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    assert api.delete(path).status_code == 404
    assert store.names() == {}


def test_list_filters(api: Any, image: Make) -> None:
    image(b"12345", name="a", tags=["t", "u"], os_distro="debian")
    image(name="b", disk_format="qcow2", tags=["t"])
    image(name="c,d", os_hidden=True, min_ram=8)
    image(name="e", protected=True, visibility="private")
    for query, expected in (
        ("", ["a", "b", "e"]),
        ("name=a", ["a"]),
        ("name=in:a,%22b%22", ["a", "b"]),
        ("os_hidden=true", ["c,d"]),
        ("os_hidden=true&name=in:%22c,d%22", ["c,d"]),
        ("tag=t", ["a", "b"]),
        ("tag=t&tag=u", ["a"]),
        ("status=active", ["a"]),
        ("status=in:active,queued", ["a", "b", "e"]),
        ("disk_format=qcow2", ["b"]),
        ("size_min=5", ["a"]),
        ("size_min=6", []),
        ("size_max=5", ["a"]),
        ("protected=true", ["e"]),
        ("visibility=private", ["e"]),
        ("visibility=public", []),
        ("os_distro=debian", ["a"]),
        ("os_distro=other", []),
        (f"checksum={hashlib.md5(b'12345').hexdigest()}", ["a"]),
        ("created_at=gt:2020-01-01T00:00:00Z", ["a", "b", "e"]),
        ("created_at=lt:2020-01-01T00:00:00Z", []),
        ("updated_at=gte:2020-01-01T00:00:00", ["a", "b", "e"]),
        (f"owner={'a' * 32}", ["a", "b", "e"]),
        ("min_ram=0&limit=2&sort=name:asc", ["a", "b"]),
    ):
        assert names(api, query) == expected, query


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=x",
        "marker=nothing",
        "sort=protected",
        "sort=name:up",
        "sort=name&sort_key=name",
        "sort_key=name&sort_dir=asc&sort_dir=desc",
        "visibility=x",
        "member_status=x",
        "size_min=x",
        "size_min=-1",
        "protected=x",
        "os_hidden=x",
        "created_at=gt:yesterday",
        "changes-since=2020",
        "name=in:%22a",
        "min_ram=x",
        f"size={10**30}",
    ],
)
def test_bad_queries(api: Any, query: str) -> None:
    assert api.get(f"/v2/images?{query}").status_code == 400


def test_pages(api: Any, image: Make, queries: Any) -> None:
    for n in range(5):
        image(name=f"n{n}" if n else None)
    for sort in ("name:asc", "name:desc", "created_at:asc", "size:desc,name:asc"):
        path, seen = f"/v2/images?limit=2&sort={sort}", []
        while path:
            page = api.get(path).json
            seen += [i["name"] for i in page["images"]]
            path = page.get("next", "")
        assert sorted(seen, key=str) == ["None", "n1", "n2", "n3", "n4"] or set(seen) == {
            None,
            *(f"n{n}" for n in range(1, 5)),
        }
        assert len(seen) == 5, sort
    assert api.get("/v2/images?limit=0").json["images"] == []
    counts = []
    for limit in (1, 5):
        with queries() as statements:
            api.get(f"/v2/images?limit={limit}")
        counts.append(len([s for s in statements if s.startswith("SELECT")]))
    assert counts[0] == counts[1] == 3


def test_visibility(api: Any, image: Make) -> None:
    image(name="own")
    image(name="private", token="member@beta", visibility="private")
    image(name="community", token="member@beta", visibility="community")
    image(name="public", token="admin@admin", visibility="public")
    offered = image(name="offered", token="member@beta")
    assert names(api) == ["own", "public"]
    assert names(api, "visibility=community") == ["community"]
    members = f"/v2/images/{offered['id']}/members"
    assert api.post(members, {"member": "a" * 32}, token="member@beta").status_code == 200
    assert names(api) == ["own", "public"]
    assert names(api, "member_status=pending&visibility=shared") == ["offered", "own"]
    assert api.put(f"{members}/{'a' * 32}", {"status": "accepted"}).status_code == 200
    assert names(api) == ["offered", "own", "public"]
    assert names(api, "visibility=all") == ["community", "offered", "own", "public"]


def test_members(api: Any, image: Make) -> None:
    one, beta = image(), "b" * 32
    path = f"/v2/images/{one['id']}/members"
    made = api.post(path, {"member": beta})
    assert made.status_code == 200
    assert (made.json["status"], made.json["schema"]) == ("pending", "/v2/schemas/member")
    assert api.post(path, {"member": beta}).status_code == 409
    assert api.post(path, {"member": ""}).status_code == 400
    assert api.post(path, {"member": beta}, token="member@beta").status_code == 403
    assert [m["member_id"] for m in api.get(path).json["members"]] == [beta]
    assert api.put(f"{path}/{beta}", {"status": "accepted"}).status_code == 403
    assert api.put(f"{path}/{beta}", {"status": "x"}, token="member@beta").status_code == 400
    assert api.put(f"{path}/{beta}", {}, token="member@beta").status_code == 400
    accepted = api.put(f"{path}/{beta}", {"status": "accepted"}, token="member@beta")
    assert accepted.json["status"] == "accepted"
    assert api.delete(f"{path}/{beta}", token="member@beta").status_code == 403
    assert api.delete(f"{path}/{beta}").status_code == 204
    assert api.delete(f"{path}/{beta}").status_code == 404
    private = image(visibility="private")
    assert api.post(f"/v2/images/{private['id']}/members", {"member": beta}).status_code == 403


def test_tags(api: Any, image: Make) -> None:
    path = f"/v2/images/{image()['id']}"
    assert api.put(f"{path}/tags/x").status_code == 204
    assert api.put(f"{path}/tags/x").status_code == 204
    assert api.get(path).json["tags"] == ["x"]
    assert api.put(f"{path}/tags/{'x' * 256}").status_code == 400
    assert api.delete(f"{path}/tags/x").status_code == 204
    assert api.delete(f"{path}/tags/x").status_code == 404


def test_deactivation(api: Any, image: Make) -> None:
    queued = f"/v2/images/{image()['id']}"
    assert api.post(f"{queued}/actions/deactivate").status_code == 403
    path = f"/v2/images/{image(b'data')['id']}"
    for _ in range(2):
        assert api.post(f"{path}/actions/deactivate").status_code == 204
    assert api.get(path).json["status"] == "deactivated"
    assert api.get(f"{path}/file").status_code == 403
    assert api.get(f"{path}/file", token="admin").status_code == 200
    assert api.post(f"{path}/actions/reactivate").status_code == 204
    assert api.get(f"{path}/file").status_code == 200
    assert api.post(f"{path}/actions/explode").status_code == 404


def test_quotas(api: Any, conf: Any) -> None:
    conf.set_override("tags_quota", 1, group="image")
    conf.set_override("properties_quota", 1, group="image")
    assert api.post("/v2/images", {"tags": ["a", "b"]}).status_code == 413
    assert api.post("/v2/images", {"a": "1", "b": "2"}).status_code == 413


def test_information(api: Any) -> None:
    assert api.get("/v2/info/import").json["import-methods"]["value"] == ["glance-direct"]
    assert api.get("/v2/info/stores").status_code == 404
    image = api.get("/v2/schemas/image").json
    assert image["name"] == "image"
    assert image["properties"]["status"]["readOnly"] and "readOnly" not in image["properties"]["name"]
    assert api.get("/v2/schemas/images").json["properties"]["images"]["items"]["name"] == "image"
    assert api.get("/v2/schemas/member").json["properties"]["status"]["enum"]
    assert api.get("/v2/schemas/members").json["name"] == "members"
    assert api.get("/v2/schemas/x").status_code == 404
