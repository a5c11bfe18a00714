"""Projects, domains, users, groups, roles and the catalog as clients use them."""

from typing import Any

import pytest

CRUD = {
    "project": {"name": "p"},
    "domain": {"name": "d"},
    "user": {"name": "u"},
    "group": {"name": "g"},
    "role": {"name": "r"},
    "region": {"description": "west"},
    "service": {"type": "t", "name": "s"},
}


@pytest.mark.parametrize("kind", CRUD)
def test_life_of_a_resource(keystone: Any, kind: str) -> None:
    made = keystone.make(kind, **CRUD[kind])
    url = f"/v3/{kind}s/{made['id']}"
    assert made["links"]["self"] == f"http://falconframework.org/identity{url}"
    assert keystone.api.get(url).json[kind] == made
    assert keystone.api.head(url).status_code == 200
    listed = keystone.api.get(f"/v3/{kind}s").json
    assert made in listed[f"{kind}s"]
    assert listed["links"] == {
        "next": None,
        "self": f"http://falconframework.org/identity/v3/{kind}s",
        "previous": None,
    }
    changed = keystone.api.patch(url, {kind: {"description": "new", "colour": "red"}})
    assert changed.status_code == 200, changed.text
    assert (changed.json[kind]["description"], changed.json[kind]["colour"]) == ("new", "red")
    assert keystone.api.get(url).json[kind]["colour"] == "red"
    if kind == "domain":
        assert keystone.api.delete(url).status_code == 403
        keystone.api.patch(url, {kind: {"enabled": False}})
    assert keystone.api.delete(url).status_code == 204
    for method in ("GET", "HEAD", "DELETE"):
        assert keystone.api.call(method, url).status_code == 404
    assert keystone.api.patch(url, {kind: {"description": "x"}}).status_code == 404


@pytest.mark.parametrize("kind", ["project", "domain", "user", "group", "role"])
def test_names_are_unique_and_checked(keystone: Any, kind: str) -> None:
    keystone.make(kind, name="one")
    url = f"/v3/{kind}s"
    assert keystone.api.post(url, {kind: {"name": "one"}}).status_code == 409
    two = keystone.make(kind, name="two")
    assert keystone.api.patch(f"{url}/{two['id']}", {kind: {"name": "one"}}).status_code == 409
    for bad in ({}, {"name": ""}, {"name": "  "}, {"name": "x" * 300}, {"name": 7}, {"name": None}):
        answer = keystone.api.post(url, {kind: bad})
        assert answer.status_code == 400, bad
        assert answer.json["error"]["code"] == 400 and answer.json["error"]["title"] == "Bad Request"
    assert keystone.api.patch(f"{url}/{two['id']}", {kind: {}}).status_code == 400
    assert keystone.api.patch(f"{url}/{two['id']}", {kind: {"id": "other"}}).status_code == 400
    assert keystone.api.post(url, {"nonsense": {}}).status_code == 400
    assert keystone.api.post(url).status_code == 400
    assert keystone.api.call("POST", url, headers={"Content-Type": "text/plain"}).status_code in (400, 415)


def test_filters_and_pages(keystone: Any) -> None:
    ids = [keystone.make("user", name=f"User{n}", enabled=n != 1)["id"] for n in range(5)]
    ask = keystone.api.get
    assert [u["id"] for u in ask("/v3/users?name=User3").json["users"]] == [ids[3]]
    assert [u["id"] for u in ask("/v3/users?enabled=0&name__startswith=User").json["users"]] == [ids[1]]
    assert len(ask("/v3/users?name__icontains=uSER").json["users"]) == 5
    assert ask("/v3/users?name__contains=%25").json["users"] == []
    assert ask("/v3/users?domain_id=nothing").json["users"] == []
    seen: list[str] = []
    url: str | None = "/v3/users?name__startswith=User&limit=2"
    while url:
        page = ask(url.removeprefix("http://falconframework.org/identity")).json
        seen += [u["id"] for u in page["users"]]
        url = page["links"]["next"]
    assert seen == sorted(ids)
    assert ask("/v3/users?limit=x").status_code == 400
    assert ask("/v3/users?marker=nothing").status_code == 400


@pytest.mark.parametrize(
    "url", ["/v3/users", "/v3/projects", "/v3/role_assignments?effective&include_names", "/v3/roles"]
)
def test_lists_cost_the_same_for_any_length(keystone: Any, queries: Any, url: str) -> None:
    with queries() as few:
        keystone.api.get(url)
    for number in range(6):
        keystone.member(f"u{number}", f"p{number}")
    with queries() as many:
        keystone.api.get(url)
    assert len(few) == len(many)


# --- projects


def test_tree_of_projects(keystone: Any) -> None:
    top = keystone.make("project", name="top")
    mid = keystone.make("project", name="mid", parent_id=top["id"])
    low = keystone.make("project", name="low", parent_id=mid["id"])
    assert mid["domain_id"] == "default" and top["parent_id"] == "default"
    show = keystone.api.get(f"/v3/projects/{mid['id']}?parents_as_ids&subtree_as_ids").json["project"]
    assert show["parents"] == {top["id"]: {"default": None}} and show["subtree"] == {low["id"]: None}
    show = keystone.api.get(f"/v3/projects/{top['id']}?subtree_as_list").json["project"]
    assert [p["project"]["id"] for p in show["subtree"]] == [mid["id"], low["id"]]
    show = keystone.api.get(f"/v3/projects/{low['id']}?parents_as_list").json["project"]
    assert [p["project"]["id"] for p in show["parents"]] == [mid["id"], top["id"]]
    both = f"/v3/projects/{low['id']}?parents_as_list&parents_as_ids"
    assert keystone.api.get(both).status_code == 400
    assert keystone.api.delete(f"/v3/projects/{mid['id']}").status_code == 403
    off = {"project": {"enabled": False}}
    assert keystone.api.patch(f"/v3/projects/{top['id']}", off).status_code == 403
    moved = {"project": {"parent_id": "default"}}
    assert keystone.api.patch(f"/v3/projects/{low['id']}", moved).status_code == 400
    listed = keystone.api.get(f"/v3/projects?parent_id={top['id']}").json["projects"]
    assert [p["id"] for p in listed] == [mid["id"]]


def test_depth_and_parents_are_checked(keystone: Any) -> None:
    parent = "default"
    for number in range(5):
        parent = keystone.make("project", name=f"d{number}", parent_id=parent)["id"]
    deeper = {"project": {"name": "deeper", "parent_id": parent}}
    assert keystone.api.post("/v3/projects", deeper).status_code == 403
    for bad in (
        {"parent_id": "f" * 32},
        {"domain_id": "f" * 32},
        {"is_domain": True, "domain_id": "default"},
    ):
        assert keystone.api.post("/v3/projects", {"project": {"name": "x", **bad}}).status_code == 400
    other = keystone.make("domain", name="other")["id"]
    mixed = {"project": {"name": "x", "domain_id": other, "parent_id": parent}}
    assert keystone.api.post("/v3/projects", mixed).status_code == 400


def test_tags(keystone: Any) -> None:
    one = keystone.make("project", name="one", tags=["a", "b"])
    two = keystone.make("project", name="two", tags=["b"])

    def found(query: str) -> set[str]:
        return {p["name"] for p in keystone.api.get(f"/v3/projects?{query}").json["projects"]} & {
            "one",
            "two",
        }

    assert found("tags=a,b") == {"one"} and found("tags-any=a,b") == {"one", "two"}
    assert found("not-tags=a,b") == {"two"} and found("not-tags-any=a") == {"two"}
    url = f"/v3/projects/{two['id']}/tags"
    assert keystone.api.put(f"{url}/c").status_code == 201
    assert keystone.api.get(f"{url}/c").status_code == 204
    assert keystone.api.get(url).json["tags"] == ["b", "c"]
    assert keystone.api.put(url, {"tags": ["x"]}).json["tags"] == ["x"]
    assert keystone.api.put(url, {"tags": ["x", "x"]}).status_code == 400
    assert keystone.api.put(url, {"tags": ["a,b"]}).status_code == 400
    assert keystone.api.delete(f"{url}/c").status_code == 404
    assert keystone.api.delete(f"{url}/x").status_code == 204
    assert keystone.api.delete(url).status_code == 204
    assert keystone.api.get(f"/v3/projects/{one['id']}").json["project"]["tags"] == ["a", "b"]


def test_a_domain_goes_with_all_in_it(keystone: Any) -> None:
    domain = keystone.make("domain", name="side")["id"]
    user = keystone.make("user", name="u", domain_id=domain)["id"]
    group = keystone.make("group", name="g", domain_id=domain)["id"]
    project = keystone.make("project", name="p", domain_id=domain)["id"]
    role = keystone.make("role", name="r", domain_id=domain)["id"]
    keystone.api.put(f"/v3/projects/{project}/users/{user}/roles/{role}")
    keystone.api.patch(f"/v3/domains/{domain}", {"domain": {"enabled": False}})
    assert keystone.api.delete(f"/v3/domains/{domain}").status_code == 204
    for url in (f"users/{user}", f"groups/{group}", f"projects/{project}", f"roles/{role}"):
        assert keystone.api.get(f"/v3/{url}").status_code == 404
    keystone.api.patch("/v3/domains/default", {"domain": {"description": "x"}})
    assert keystone.api.delete("/v3/domains/default").status_code == 403


def test_domain_as_a_project(keystone: Any) -> None:
    made = keystone.make("project", name="d", is_domain=True)
    assert (made["is_domain"], made["domain_id"], made["parent_id"]) == (True, None, None)
    assert keystone.api.get(f"/v3/domains/{made['id']}").json["domain"]["name"] == "d"
    names = {p["name"] for p in keystone.api.get("/v3/projects?is_domain=true").json["projects"]}
    assert names == {"Default", "d"}


def test_immutable(keystone: Any) -> None:
    made = keystone.make("role", name="r", options={"immutable": True})
    url = f"/v3/roles/{made['id']}"
    assert made["options"] == {"immutable": True}
    assert keystone.api.delete(url).status_code == 403
    assert keystone.api.patch(url, {"role": {"name": "x"}}).status_code == 403
    assert keystone.api.patch(url, {"role": {"options": {"immutable": None}}}).json["role"]["options"] == {}
    assert keystone.api.delete(url).status_code == 204
    assert keystone.api.post("/v3/roles", {"role": {"name": "y", "options": {"x": 1}}}).status_code == 400


# --- users and groups


def test_own_password(keystone: Any) -> None:
    user, _ = keystone.member("ann", "annex")
    token = keystone.token("ann", "pw", "annex")
    url = f"/v3/users/{user['id']}/password"
    wrong = {"user": {"password": "new", "original_password": "no"}}
    assert keystone.api.post(url, wrong, token=token).status_code == 401
    assert keystone.api.post(url, {"user": {"password": "new"}}, token=token).status_code == 400
    right = {"user": {"password": "new", "original_password": "pw"}}
    assert keystone.api.post(url, right, token=token).status_code == 204
    assert keystone.login("ann", "pw", "annex").status_code == 401
    assert keystone.login("ann", "new", "annex").status_code == 201
    assert keystone.api.get(url).status_code == 405


def test_passwords_of_any_kind(keystone: Any) -> None:
    for number, password in enumerate(["x" * 200, "nul\x00nul", "ü" * 80, " ", "€"]):
        keystone.make("user", name=f"u{number}", password=password)
        assert keystone.login(f"u{number}", password, "unscoped").status_code == 201
        assert keystone.login(f"u{number}", password + "x", "unscoped").status_code == 401
    too_long = {"user": {"name": "z", "password": "x" * 5000}}
    assert keystone.api.post("/v3/users", too_long).status_code == 400
    assert keystone.api.post("/v3/users", {"user": {"name": "z", "domain_id": "no"}}).status_code == 404


def test_members_of_groups(keystone: Any) -> None:
    user = keystone.make("user", name="u", email="u@example.org")["id"]
    group = keystone.make("group", name="g")["id"]
    url = f"/v3/groups/{group}/users/{user}"
    assert keystone.api.head(url).status_code == 404
    assert [keystone.api.put(url).status_code for _ in range(2)] == [204, 204]
    assert keystone.api.head(url).status_code == 204
    assert keystone.api.get(f"/v3/groups/{group}/users").json["users"][0]["email"] == "u@example.org"
    assert keystone.api.get(f"/v3/users/{user}/groups").json["groups"][0]["id"] == group
    assert keystone.api.delete(url).status_code == 204
    assert keystone.api.delete(url).status_code == 404
    assert keystone.api.put(f"/v3/groups/{group}/users/nobody").status_code == 404


# --- catalog


def test_regions(keystone: Any) -> None:
    assert keystone.api.put("/v3/regions/west", {"region": {}}).status_code == 201
    assert keystone.api.put("/v3/regions/west", {"region": {}}).status_code == 409
    assert keystone.api.put("/v3/regions/east", {"region": {"id": "other"}}).status_code == 400
    keystone.make("region", id="west-1", parent_region_id="west")
    assert keystone.api.get("/v3/regions?parent_region_id=west").json["regions"][0]["id"] == "west-1"
    assert keystone.api.post("/v3/regions", {"region": {"parent_region_id": "no"}}).status_code == 404
    circle = {"region": {"parent_region_id": "west-1"}}
    assert keystone.api.patch("/v3/regions/west", circle).status_code == 400
    assert keystone.api.delete("/v3/regions/west").status_code == 403
    assert keystone.api.delete("/v3/regions/RegionOne").status_code == 403


def test_endpoints(keystone: Any) -> None:
    service = keystone.make("service", type="t", name="s")["id"]
    given = {"interface": "public", "service_id": service, "url": "http://x/%(tenant_id)s"}
    made = keystone.make("endpoint", region="new", **given)
    assert (made["region_id"], made["region"], made["enabled"]) == ("new", "new", True)
    url = f"/v3/endpoints/{made['id']}"
    assert keystone.api.get(f"/v3/endpoints?service_id={service}&interface=public").json["endpoints"] == [
        made
    ]
    assert keystone.api.patch(url, {"endpoint": {"enabled": False}}).json["endpoint"]["enabled"] is False
    moved = keystone.api.patch(url, {"endpoint": {"region": "newer"}})
    assert moved.json["endpoint"]["region_id"] == "newer", moved.text
    assert keystone.api.get("/v3/regions/newer").status_code == 200
    assert "t" in {s["type"] for s in keystone.login("admin", "secret", "admin").json["token"]["catalog"]}
    for bad in (
        {"interface": "private"},
        {"service_id": "no"},
        {"region_id": "no"},
        {"url": "x"},
        {"enabled": "yes"},
    ):
        assert keystone.api.post("/v3/endpoints", {"endpoint": {**given, **bad}}).status_code == 400, bad
    assert keystone.api.delete(f"/v3/services/{service}").status_code == 204
    assert keystone.api.get(url).status_code == 404


def test_version_documents(keystone: Any) -> None:
    listed = keystone.api.get("/", token="")
    assert listed.status_code == 300
    (version,) = listed.json["versions"]["values"]
    assert keystone.api.get("/v3", token="").json["version"] == version
    assert version["status"] == "stable"
    assert version["media-types"][0]["type"] == "application/vnd.openstack.identity-v3+json"
    assert version["links"][0]["href"].endswith("/identity/v3/")


def test_unknown_paths_and_methods(keystone: Any) -> None:
    assert keystone.api.get("/v3/nothing").status_code == 404
    answer = keystone.api.put("/v3/users")
    assert answer.status_code == 405 and answer.json["error"]["code"] == 405
