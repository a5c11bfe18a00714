"""POST, GET, HEAD and DELETE /v3/auth/tokens."""

from typing import Any

import pytest

from controller.db.sealed import MasterKey
from controller.db.session import Database
from controller.identity.tokens import keys

MASTER = MasterKey(b"m" * 32)


def test_token_of_a_project_has_roles_and_catalog(keystone: Any) -> None:
    token = keystone.login("admin", "secret", "admin").json["token"]
    assert token["project"]["name"] == "admin" and token["project"]["domain"]["id"] == "default"
    assert {r["name"] for r in token["roles"]} == {"admin", "manager", "member", "reader"}
    urls = {s["type"]: s["endpoints"][0]["url"] for s in token["catalog"]}
    assert urls["volumev3"] == f"http://cloud/volume/v3/{token['project']['id']}"
    assert urls["identity"] == "http://cloud/identity"
    assert token["methods"] == ["password"] and len(token["audit_ids"]) == 1
    assert token["expires_at"].endswith("Z")


def test_unscoped_then_rescoped_by_token(keystone: Any) -> None:
    first = keystone.login("admin", "secret", "unscoped")
    assert "roles" not in first.json["token"] and "catalog" not in first.json["token"]
    identity = {"methods": ["token"], "token": {"id": first.headers["X-Subject-Token"]}}
    scope = {"project": {"name": "admin", "domain": {"name": "Default"}}}
    second = keystone.api.post("/v3/auth/tokens", {"auth": {"identity": identity, "scope": scope}}, token="")
    assert second.status_code == 201
    token = second.json["token"]
    assert sorted(token["methods"]) == ["password", "token"]
    assert token["expires_at"] == first.json["token"]["expires_at"]
    assert token["audit_ids"][1] == first.json["token"]["audit_ids"][0]


def test_system_and_domain_scope(keystone: Any) -> None:
    system = keystone.login("admin", "secret", {"system": {"all": True}})
    assert system.status_code == 201 and system.json["token"]["system"] == {"all": True}
    assert keystone.login("admin", "secret", {"domain": {"id": "default"}}).status_code == 401
    admin = keystone.api.get("/v3/users?name=admin").json["users"][0]["id"]
    role = keystone.role_id("admin")
    assert keystone.api.put(f"/v3/domains/default/users/{admin}/roles/{role}").status_code == 204
    domain = keystone.login("admin", "secret", {"domain": {"name": "Default"}})
    assert domain.json["token"]["domain"] == {"id": "default", "name": "Default"}


def test_default_project_is_taken_only_if_it_can_be(keystone: Any) -> None:
    user, project = keystone.member("ann", "annex")
    keystone.api.patch(f"/v3/users/{user['id']}", {"user": {"default_project_id": project["id"]}})
    assert keystone.login("ann", "pw").json["token"]["project"]["id"] == project["id"]
    assert "project" not in keystone.login("ann", "pw", "unscoped").json["token"]
    keystone.api.patch(f"/v3/projects/{project['id']}", {"project": {"enabled": False}})
    assert "project" not in keystone.login("ann", "pw").json["token"]


def test_validate_and_revoke(keystone: Any) -> None:
    subject = keystone.login("admin", "secret", "admin")
    text = subject.headers["X-Subject-Token"]
    headers = {"X-Subject-Token": text}
    shown = keystone.api.get("/v3/auth/tokens", headers=headers)
    assert shown.status_code == 200 and shown.headers["X-Subject-Token"] == text
    assert shown.json["token"]["audit_ids"] == subject.json["token"]["audit_ids"]
    assert "catalog" not in keystone.api.get("/v3/auth/tokens?nocatalog", headers=headers).json["token"]
    head = keystone.api.head("/v3/auth/tokens", headers=headers)
    assert head.status_code == 200 and head.content == b""
    assert keystone.api.delete("/v3/auth/tokens", headers=headers).status_code == 204
    assert keystone.api.get("/v3/auth/tokens", headers=headers).status_code == 404
    assert keystone.api.get("/v3/users", token=text).status_code == 401


def test_subject_must_be_there(keystone: Any) -> None:
    assert keystone.api.get("/v3/auth/tokens").status_code == 404
    assert keystone.api.get("/v3/auth/tokens", headers={"X-Subject-Token": "nonsense"}).status_code == 404
    assert keystone.api.get("/v3/auth/tokens", token="").status_code == 401


def test_others_tokens_are_not_shown_to_users(keystone: Any) -> None:
    keystone.member("ann", "annex")
    ann = keystone.token("ann", "pw", "annex")
    other = {"X-Subject-Token": keystone.admin}
    assert keystone.api.get("/v3/auth/tokens", token=ann, headers=other).status_code == 403
    assert keystone.api.delete("/v3/auth/tokens", token=ann, headers=other).status_code == 403
    own = {"X-Subject-Token": ann}
    assert keystone.api.get("/v3/auth/tokens", token=ann, headers=own).status_code == 200
    assert keystone.api.get("/v3/auth/tokens", headers=own).status_code == 200


@pytest.mark.parametrize(
    "auth",
    [
        {},
        {"identity": {}},
        {"identity": {"methods": "password"}},
        {"identity": {"methods": ["password"]}},
        {"identity": {"methods": ["password"], "password": {"user": {"password": "x"}}}},
        {"identity": {"methods": ["password"], "password": {"user": {"name": "admin", "password": "x"}}}},
        {"identity": {"methods": ["token"], "token": {}}},
        {"identity": {"methods": ["token"], "token": {"id": "x"}}, "scope": {"project": {"name": "admin"}}},
        {"identity": {"methods": ["token"], "token": {"id": "x"}}, "scope": {"project": {}}},
        {"identity": {"methods": ["token"], "token": {"id": "x"}}, "scope": "all"},
        [],
        None,
    ],
)
def test_malformed_requests(keystone: Any, auth: Any) -> None:
    assert keystone.api.post("/v3/auth/tokens", {"auth": auth}, token="").status_code == 400


def test_unknown_method_is_unauthorized(keystone: Any) -> None:
    body = {"auth": {"identity": {"methods": ["oauth1"], "oauth1": {}}}}
    assert keystone.api.post("/v3/auth/tokens", body, token="").status_code == 401


def test_rotation_keeps_tokens_and_other_processes_learn_new_keys(keystone: Any, db: Database) -> None:
    other = keys.KeyRing(db, MASTER)
    assert other.decrypt(keystone.admin)
    db.write(lambda session: keys.rotate(session, MASTER))
    fresh = keys.KeyRing(db, MASTER)
    assert other.decrypt(fresh.encrypt(b"x")) == b"x"
    assert keystone.api.get("/v3/users").status_code == 200
    for _ in range(3):
        db.write(lambda session: keys.rotate(session, MASTER))
    newest = keys.KeyRing(db, MASTER)
    assert other.decrypt(newest.encrypt(b"y")) == b"y"
    other_after = keystone.tools.keys
    other_after._loaded_at = float("-inf")
    assert keystone.api.get("/v3/users").status_code == 401


def test_what_a_holder_may_ask(keystone: Any) -> None:
    _, project = keystone.member("ann", "annex")
    token = keystone.token("ann", "pw", "unscoped")
    shown = keystone.api.get("/v3/auth/projects", token=token).json["projects"]
    assert [p["id"] for p in shown] == [project["id"]]
    assert keystone.api.get("/v3/auth/domains", token=token).json["domains"] == []
    assert keystone.api.get("/v3/auth/system", token=token).json["system"] == []
    assert keystone.api.get("/v3/auth/catalog", token=token).status_code == 404
    scoped = keystone.token("ann", "pw", "annex")
    assert len(keystone.api.get("/v3/auth/catalog", token=scoped).json["catalog"]) == 7


def test_validation_is_one_query(keystone: Any, queries: Any) -> None:
    with queries() as seen:
        keystone.authenticate(keystone.admin)
    assert len([q for q in seen if not q.startswith("BEGIN")]) == 1
