"""Roles: given, implied, inherited, listed."""

import itertools
from typing import Any

import pytest


@pytest.fixture
def ends(keystone: Any) -> dict[str, str]:
    domain = keystone.make("domain", name="side")["id"]
    return {
        "domain": domain,
        "project": keystone.make("project", name="p", domain_id=domain)["id"],
        "user": keystone.make("user", name="u", password="pw")["id"],
        "group": keystone.make("group", name="g")["id"],
        "role": keystone.make("role", name="r")["id"],
    }


def _path(ends: dict[str, str], target: str, actor: str) -> str:
    where = "system" if target == "system" else f"{target}s/{ends[target]}"
    return f"{where}/{actor}s/{ends[actor]}/roles"


@pytest.mark.parametrize(
    ("target", "actor"), list(itertools.product(("project", "domain", "system"), ("user", "group")))
)
def test_grant(keystone: Any, ends: dict[str, str], target: str, actor: str) -> None:
    url = f"/v3/{_path(ends, target, actor)}"
    one = f"{url}/{ends['role']}"
    assert keystone.api.head(one).status_code == 404
    assert [keystone.api.put(one).status_code for _ in range(2)] == [204, 204]
    assert (keystone.api.head(one).status_code, keystone.api.get(one).status_code) == (204, 204)
    assert [r["name"] for r in keystone.api.get(url).json["roles"]] == ["r"]
    assert keystone.api.delete(one).status_code == 204
    assert keystone.api.delete(one).status_code == 404
    assert keystone.api.get(url).json["roles"] == []
    assert keystone.api.put(f"{url}/nothing").status_code == 404
    lost = {**ends, actor: "nothing"}
    assert keystone.api.put(f"/v3/{_path(lost, target, actor)}/{ends['role']}").status_code == 404


@pytest.mark.parametrize(
    ("target", "actor"), list(itertools.product(("project", "domain"), ("user", "group")))
)
def test_inherited_grant(keystone: Any, ends: dict[str, str], target: str, actor: str) -> None:
    base = f"/v3/OS-INHERIT/{_path(ends, target, actor)}"
    one, every = f"{base}/{ends['role']}/inherited_to_projects", f"{base}/inherited_to_projects"
    assert keystone.api.put(one).status_code == 204
    assert keystone.api.head(one).status_code == 204
    assert [r["name"] for r in keystone.api.get(every).json["roles"]] == ["r"]
    assert keystone.api.get(f"/v3/{_path(ends, target, actor)}").json["roles"] == []
    assert keystone.api.delete(one).status_code == 204


def test_inherited_role_holds_below(keystone: Any, ends: dict[str, str]) -> None:
    low = keystone.make("project", name="low", parent_id=ends["project"])["id"]
    role = keystone.role_id("member")
    keystone.api.put(f"/v3/OS-INHERIT/{_path(ends, 'domain', 'user')}/{role}/inherited_to_projects")
    for project in (ends["project"], low):
        answer = keystone.login("u", "pw", {"project": {"id": project}})
        assert {r["name"] for r in answer.json["token"]["roles"]} == {"member", "reader"}
    assert keystone.login("u", "pw", {"domain": {"id": ends["domain"]}}).status_code == 401
    assert len(keystone.api.get(f"/v3/users/{ends['user']}/projects").json["projects"]) == 2
    query = f"/v3/role_assignments?user.id={ends['user']}&effective&scope.project.id={low}"
    lines = keystone.api.get(query).json["role_assignments"]
    assert {line["role"]["id"] for line in lines} == {role, keystone.role_id("reader")}
    assert all(line["scope"]["OS-INHERIT:inherited_to"] == "projects" for line in lines)


def test_list_of_assignments(keystone: Any, ends: dict[str, str]) -> None:
    role = keystone.role_id("member")
    keystone.api.put(f"/v3/groups/{ends['group']}/users/{ends['user']}")
    keystone.api.put(f"/v3/{_path(ends, 'project', 'group')}/{role}")

    def lines(query: str) -> list[Any]:
        found: list[Any] = keystone.api.get(f"/v3/role_assignments?{query}").json["role_assignments"]
        return found

    assert lines(f"user.id={ends['user']}") == []
    (line,) = lines(f"group.id={ends['group']}&include_names")
    assert line["group"] == {"id": ends["group"], "name": "g", "domain": {"id": "default", "name": "Default"}}
    assert line["scope"]["project"]["domain"] == {"id": ends["domain"], "name": "side"}
    assert line["role"] == {"id": role, "name": "member"}
    effective = lines(f"user.id={ends['user']}&effective")
    assert {e["role"]["id"] for e in effective} == {role, keystone.role_id("reader")}
    reader = next(e for e in effective if e["role"]["id"] != role)
    assert reader["links"]["membership"].endswith(f"/v3/groups/{ends['group']}/users/{ends['user']}")
    assert reader["links"]["prior_role"].endswith(f"/v3/roles/{role}")
    assert reader["links"]["assignment"].endswith(
        f"/v3/projects/{ends['project']}/groups/{ends['group']}/roles/{role}"
    )
    assert len(lines(f"role.id={role}&scope.project.id={ends['project']}")) == 1
    assert len(lines("scope.system=all")) == 1
    tree = f"scope.project.id={ends['project']}&include_subtree=true"
    assert len(lines(tree)) == 1


@pytest.mark.parametrize(
    "query",
    [
        "user.id=a&group.id=b",
        "group.id=b&effective",
        "scope.project.id=a&scope.domain.id=b",
        "include_subtree=true",
        "scope.OS-INHERIT:inherited_to=x",
    ],
)
def test_filters_that_contradict(keystone: Any, query: str) -> None:
    assert keystone.api.get(f"/v3/role_assignments?{query}").status_code == 400


def test_implied_roles(keystone: Any, ends: dict[str, str]) -> None:
    other = keystone.make("role", name="other")["id"]
    url = f"/v3/roles/{ends['role']}/implies"
    made = keystone.api.put(f"{url}/{other}")
    assert made.status_code == 201
    assert made.json["role_inference"]["implies"]["name"] == "other"
    assert keystone.api.head(f"{url}/{other}").status_code == 204
    assert keystone.api.get(f"{url}/{other}").status_code == 200
    assert keystone.api.get(url).json["role_inference"]["implies"][0]["id"] == other
    assert keystone.api.put(f"/v3/roles/{other}/implies/{ends['role']}").status_code == 403
    inferences = keystone.api.get("/v3/role_inferences").json["role_inferences"]
    assert ends["role"] in {i["prior_role"]["id"] for i in inferences}
    keystone.api.put(f"/v3/{_path(ends, 'project', 'user')}/{ends['role']}")
    scope = {"project": {"id": ends["project"]}}
    answer = keystone.login("u", "pw", scope)
    token = answer.headers["X-Subject-Token"]
    assert keystone.authenticate(token).roles == {"r", "other"}
    assert keystone.api.delete(f"{url}/{other}").status_code == 204
    assert keystone.authenticate(token).roles == {"r"}
    assert keystone.api.delete(f"{url}/{other}").status_code == 404


def test_role_of_a_domain_stays_there(keystone: Any, ends: dict[str, str]) -> None:
    role = keystone.make("role", name="local", domain_id=ends["domain"])["id"]
    assert keystone.api.put(f"/v3/{_path(ends, 'project', 'user')}/{role}").status_code == 204
    elsewhere = {**ends, "project": keystone.make("project", name="far")["id"]}
    assert keystone.api.put(f"/v3/{_path(elsewhere, 'project', 'user')}/{role}").status_code == 403
    assert keystone.api.put(f"/v3/{_path(ends, 'system', 'user')}/{role}").status_code == 403
    assert role in {r["id"] for r in keystone.api.get(f"/v3/roles?domain_id={ends['domain']}").json["roles"]}
    assert role not in {r["id"] for r in keystone.api.get("/v3/roles").json["roles"]}


def test_a_role_of_a_domain_is_only_a_name_for_what_it_implies(keystone: Any, ends: dict[str, str]) -> None:
    """It is in no token and no effective list: else one called admin would be taken for the cloud's."""
    local = keystone.make("role", name="admin", domain_id=ends["domain"])["id"]
    other_domain = keystone.make("domain", name="other")["id"]
    foreign = keystone.make("role", name="local", domain_id=other_domain)["id"]
    assert keystone.api.put(f"/v3/{_path(ends, 'project', 'user')}/{local}").status_code == 204
    scope = {"project": {"id": ends["project"]}}
    assert keystone.login("u", "pw", scope).status_code == 401
    query = f"/v3/role_assignments?effective&user.id={ends['user']}&scope.project.id={ends['project']}"
    assert keystone.api.get(query).json["role_assignments"] == []
    assert keystone.api.put(f"/v3/roles/{local}/implies/{foreign}").status_code == 201
    assert keystone.api.put(f"/v3/roles/{local}/implies/{ends['role']}").status_code == 201
    assert keystone.api.put(f"/v3/roles/{ends['role']}/implies/{local}").status_code == 403
    token = keystone.login("u", "pw", scope).headers["X-Subject-Token"]
    assert keystone.authenticate(token).roles == {"r"}


def test_a_domain_that_is_not_there_is_404(keystone: Any) -> None:
    for kind in ("user", "group"):
        body = {kind: {"name": "x", "domain_id": "d" * 32}}
        assert keystone.api.post(f"/v3/{kind}s", body).status_code == 404
