"""Lists: pages, sorting, tags, constant numbers of queries."""

import urllib.parse
from typing import Any

import pytest


@pytest.fixture
def five(api: Any) -> list[dict[str, Any]]:
    """Five networks named a to e."""
    answer = api.post("/v2.0/networks", {"networks": [{"name": name} for name in "cabed"]})
    found: list[dict[str, Any]] = answer.json["networks"]
    return found


def _names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [n["name"] for n in answer.json["networks"]]


def _follow(api: Any, answer: Any, rel: str) -> Any:
    link = next(link for link in answer.json["networks_links"] if link["rel"] == rel)
    parts = urllib.parse.urlsplit(link["href"])
    return api.get(f"{parts.path}?{parts.query}")


def test_sorting(api: Any, five: Any) -> None:
    assert _names(api.get("/v2.0/networks?sort_key=name")) == list("abcde")
    assert _names(api.get("/v2.0/networks?sort_key=name&sort_dir=desc")) == list("edcba")
    assert api.get("/v2.0/networks?sort_key=nonsense").status_code == 400
    assert api.get("/v2.0/networks?sort_key=name&sort_dir=up").status_code == 400
    assert api.get("/v2.0/networks?sort_key=name&sort_key=id&sort_dir=asc").status_code == 400


def test_pages(api: Any, five: Any) -> None:
    first = api.get("/v2.0/networks?sort_key=name&limit=2")
    assert _names(first) == ["a", "b"]
    second = _follow(api, first, "next")
    assert _names(second) == ["c", "d"]
    last = _follow(api, second, "next")
    assert _names(last) == ["e"]
    assert [link["rel"] for link in last.json["networks_links"]] == ["previous"]
    back = _follow(api, last, "previous")
    assert _names(back) == ["c", "d"]
    assert _names(_follow(api, back, "previous")) == ["a", "b"]
    assert api.get("/v2.0/networks?limit=x").status_code == 400
    assert api.get("/v2.0/networks?limit=-1").status_code == 400
    assert api.get("/v2.0/networks?marker=nonsense").status_code == 400
    assert len(_names(api.get("/v2.0/networks?limit=0"))) == 5


def test_filters_and_fields(api: Any, five: Any) -> None:
    ids = "&".join(f"id={n['id']}" for n in five[:2])
    assert sorted(_names(api.get(f"/v2.0/networks?{ids}"))) == ["a", "c"]
    assert len(_names(api.get("/v2.0/networks?shared=False&router:external=false&admin_state_up=1"))) == 5
    assert _names(api.get("/v2.0/networks?name=")) == []
    assert set(api.get("/v2.0/networks?fields=id&fields=name").json["networks"][0]) == {"id", "name"}
    assert set(api.get(f"/v2.0/networks/{five[0]['id']}?fields=mtu").json["network"]) == {"mtu"}


def test_tags(api: Any, five: Any) -> None:
    for network, tags in zip(five, (["red"], ["red", "blue"], ["blue"], [], []), strict=True):
        answer = api.put(f"/v2.0/networks/{network['id']}/tags", {"tags": tags})
        assert answer.status_code == 200 and sorted(answer.json["tags"]) == sorted(tags)
    assert sorted(_names(api.get("/v2.0/networks?tags=red,blue"))) == ["a"]
    assert sorted(_names(api.get("/v2.0/networks?tags-any=red,blue"))) == ["a", "b", "c"]
    assert sorted(_names(api.get("/v2.0/networks?not-tags=red,blue"))) == ["b", "c", "d", "e"]
    assert sorted(_names(api.get("/v2.0/networks?not-tags-any=red,blue"))) == ["d", "e"]
    url = f"/v2.0/networks/{five[0]['id']}/tags"
    assert api.get(f"{url}/red").status_code == 204 and api.get(f"{url}/green").status_code == 404
    assert api.put(f"{url}/green").status_code == 201
    assert api.delete(f"{url}/red").status_code == 204 and api.delete(f"{url}/red").status_code == 404
    assert api.get(url).json == {"tags": ["green"]}
    assert api.delete(url).status_code == 204 and api.get(url).json == {"tags": []}
    assert api.put(url, {"tags": ["x" * 256]}).status_code == 400
    assert api.put(url, {"tags": "x"}).status_code == 400
    assert api.put(url, {"tags": ["x"]}, token="member@beta").status_code == 404


def _shareable(api: Any, make: Any, number: int) -> None:
    """A pool and a scope, and a policy of access to one."""
    make("subnetpool", name="pool", prefixes=[f"10.{number}.0.0/16"])
    scope = make("address_scope", ip_version=4)["id"]
    policy = {"object_type": "address_scope", "object_id": scope, "action": "access_as_shared"}
    body = {"rbac_policy": {**policy, "target_tenant": "b" * 32}}
    assert api.post("/v2.0/rbac-policies", body).status_code == 201


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("networks", 4),
        ("subnets", 2),
        ("ports", 7),
        ("security-groups", 5),
        ("security-group-rules", 1),
        ("subnetpools", 3),
        ("address-scopes", 2),
        ("rbac-policies", 1),
    ],
)
def test_a_list_costs_the_same_however_long(
    api: Any, make: Any, net: Any, queries: Any, path: str, most: int
) -> None:
    make("port", network_id=net["id"])
    _shareable(api, make, 1)
    with queries() as few:
        api.get(f"/v2.0/{path}")
    api.post("/v2.0/ports", {"ports": [{"network_id": net["id"]}] * 20})
    for number in range(5):
        make("network")
        make("security_group", name=f"g{number}")
        _shareable(api, make, number + 2)
    with queries() as many:
        assert api.get(f"/v2.0/{path}").status_code == 200
    statements = [s for s in many if not s.startswith("BEGIN")]
    assert len(many) == len(few) and len(statements) <= most, statements
