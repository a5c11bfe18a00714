"""Application credentials and stored credentials; a restricted one never leads to more (SECURITY 12, 16)."""

import datetime
from typing import Any

import pytest

from controller.db.columns import now


def _auth(keystone: Any, credential: dict[str, Any], **more: Any) -> Any:
    identity = {
        "methods": ["application_credential"],
        "application_credential": {"id": credential["id"], "secret": credential["secret"]},
    }
    return keystone.api.post("/v3/auth/tokens", {"auth": {"identity": identity, **more}}, token="")


def _make(keystone: Any, user_id: str, token: str, **values: Any) -> Any:
    body = {"application_credential": {"name": "robot", **values}}
    return keystone.api.post(f"/v3/users/{user_id}/application_credentials", body, token=token)


@pytest.fixture
def ann(keystone: Any) -> dict[str, Any]:
    user, project = keystone.member("ann", "annex")
    return {"id": user["id"], "project": project["id"], "token": keystone.token("ann", "pw", "annex")}


def test_life(keystone: Any, ann: dict[str, Any]) -> None:
    made = _make(keystone, ann["id"], ann["token"]).json["application_credential"]
    assert len(made["secret"]) > 80 and made["project_id"] == ann["project"] and not made["unrestricted"]
    assert [r["name"] for r in made["roles"]] == ["member", "reader"]
    url = f"/v3/users/{ann['id']}/application_credentials"
    shown = keystone.api.get(f"{url}/{made['id']}", token=ann["token"])
    assert "secret" not in shown.text and shown.json["application_credential"]["id"] == made["id"]
    assert "secret" not in keystone.api.get(url, token=ann["token"]).text
    assert _make(keystone, ann["id"], ann["token"]).status_code == 409
    answer = _auth(keystone, made)
    assert answer.status_code == 201
    assert answer.json["token"]["project"]["id"] == ann["project"]
    assert answer.json["token"]["methods"] == ["application_credential"]
    token = answer.headers["X-Subject-Token"]
    assert keystone.api.get("/v3/auth/projects", token=token).status_code == 200
    assert keystone.api.delete(f"{url}/{made['id']}", token=ann["token"]).status_code == 204
    assert keystone.api.get("/v3/auth/projects", token=token).status_code == 401
    assert _auth(keystone, made).status_code == 401


def test_by_name_and_own_secret(keystone: Any, ann: dict[str, Any]) -> None:
    _make(keystone, ann["id"], ann["token"], secret="mine")
    given = {"name": "robot", "secret": "mine", "user": {"name": "ann", "domain": {"id": "default"}}}
    body = {"auth": {"identity": {"methods": ["application_credential"], "application_credential": given}}}
    assert keystone.api.post("/v3/auth/tokens", body, token="").status_code == 201
    given["secret"] = "other"
    assert keystone.api.post("/v3/auth/tokens", body, token="").status_code == 401


def test_roles_are_narrowed_and_follow_the_user(keystone: Any, ann: dict[str, Any]) -> None:
    made = _make(keystone, ann["id"], ann["token"], roles=[{"name": "reader"}]).json["application_credential"]
    token = _auth(keystone, made).headers["X-Subject-Token"]
    assert keystone.authenticate(token).roles == {"reader"}
    grant = f"/v3/projects/{ann['project']}/users/{ann['id']}/roles/{keystone.role_id('member')}"
    assert keystone.api.delete(grant).status_code == 204
    assert keystone.api.get("/v3/auth/projects", token=token).status_code == 401
    assert _auth(keystone, made).status_code == 401


def test_no_roles_beyond_the_token(keystone: Any, ann: dict[str, Any]) -> None:
    for role in ({"name": "admin"}, {"id": keystone.role_id("admin")}, {"name": "none"}, {"id": "none"}):
        assert _make(keystone, ann["id"], ann["token"], roles=[role]).status_code == 400
    unscoped = keystone.token("ann", "pw", "unscoped")
    assert _make(keystone, ann["id"], unscoped).status_code == 400
    assert _make(keystone, ann["id"], keystone.admin).status_code == 403
    rules = [{"path": "/v2.1/servers", "method": "GET", "service": "compute"}]
    assert _make(keystone, ann["id"], ann["token"], access_rules=rules).status_code == 400
    assert _make(keystone, ann["id"], ann["token"], access_rules=None, roles=None).status_code == 201


def test_expiry(keystone: Any, ann: dict[str, Any]) -> None:
    for bad in ("yesterday", "2001-01-01T00:00:00Z"):
        assert _make(keystone, ann["id"], ann["token"], expires_at=bad).status_code == 400
    soon = (now() + datetime.timedelta(minutes=5)).isoformat() + "Z"
    made = _make(keystone, ann["id"], ann["token"], expires_at=soon).json["application_credential"]
    assert _auth(keystone, made).json["token"]["expires_at"] == made["expires_at"] + "Z"


@pytest.mark.parametrize("unrestricted", [False, True])
def test_what_a_delegated_token_may_not(keystone: Any, ann: dict[str, Any], unrestricted: bool) -> None:
    made = _make(
        keystone, ann["id"], ann["token"], roles=[{"name": "reader"}], unrestricted=unrestricted
    ).json["application_credential"]
    token = _auth(keystone, made).headers["X-Subject-Token"]
    for scope in (
        {"project": {"id": ann["project"]}},
        {"system": {"all": True}},
        {"domain": {"id": "default"}},
        "unscoped",
    ):
        assert _auth(keystone, made, scope=scope).status_code == 401
        exchange = {"identity": {"methods": ["token"], "token": {"id": token}}, "scope": scope}
        assert keystone.api.post("/v3/auth/tokens", {"auth": exchange}, token="").status_code == 403
    bigger = _make(keystone, ann["id"], token, name="big", roles=[{"name": "member"}])
    assert bigger.status_code == (400 if unrestricted else 403)
    same = _make(keystone, ann["id"], token, name="same")
    assert same.status_code == (201 if unrestricted else 403)
    if unrestricted:
        assert [r["name"] for r in same.json["application_credential"]["roles"]] == ["reader"]
    url = f"/v3/users/{ann['id']}/application_credentials/{made['id']}"
    blob = {"type": "cert", "blob": "x", "user_id": ann["id"]}
    assert keystone.api.post("/v3/credentials", {"credential": blob}, token=token).status_code == 403
    assert keystone.api.get("/v3/credentials", token=token).status_code == 403
    assert keystone.api.delete(url, token=token).status_code == (204 if unrestricted else 403)


def test_combined_with_a_password_it_is_refused(keystone: Any, ann: dict[str, Any]) -> None:
    made = _make(keystone, ann["id"], ann["token"]).json["application_credential"]
    identity = {
        "methods": ["application_credential", "password"],
        "application_credential": {"id": made["id"], "secret": made["secret"]},
        "password": {"user": {"id": ann["id"], "password": "pw"}},
    }
    assert keystone.api.post("/v3/auth/tokens", {"auth": {"identity": identity}}, token="").status_code == 401


# --- credentials


def test_credentials(keystone: Any, ann: dict[str, Any], db: Any) -> None:
    given = {"type": "cert", "blob": "very secret", "user_id": ann["id"]}
    made = keystone.api.post("/v3/credentials", {"credential": given}, token=ann["token"])
    assert made.status_code == 201 and made.json["credential"]["blob"] == "very secret"
    url = f"/v3/credentials/{made.json['credential']['id']}"
    assert keystone.api.get(url, token=ann["token"]).json == made.json
    changed = keystone.api.patch(url, {"credential": {"blob": "other"}}, token=ann["token"])
    assert changed.json["credential"]["blob"] == "other"
    with db.engine.connect() as connection:
        (sealed,) = connection.exec_driver_sql("SELECT sealed FROM credentials").one()
    assert "secret" not in sealed and "other" not in sealed
    keystone.member("bob", "works")
    bob = keystone.token("bob", "pw", "works")
    for method in ("GET", "DELETE"):
        assert keystone.api.call(method, url, token=bob).status_code == 403
        assert keystone.api.call(method, "/v3/credentials/none", token=bob).status_code == 403
    assert keystone.api.get("/v3/credentials", token=bob).json["credentials"] == []
    assert keystone.api.get(f"/v3/credentials?user_id={ann['id']}", token=bob).json["credentials"] == []
    assert keystone.api.post("/v3/credentials", {"credential": given}, token=bob).status_code == 403
    assert len(keystone.api.get(f"/v3/credentials?user_id={ann['id']}").json["credentials"]) == 1
    assert keystone.api.delete(url, token=ann["token"]).status_code == 204
    assert keystone.api.get(url).status_code == 404


def test_ec2_credentials_are_checked(keystone: Any, ann: dict[str, Any]) -> None:
    for blob in ("x", "[]", "{}", '{"access": 1}'):
        body = {
            "credential": {"type": "ec2", "blob": blob, "user_id": ann["id"], "project_id": ann["project"]}
        }
        assert keystone.api.post("/v3/credentials", body, token=ann["token"]).status_code == 400
    body["credential"]["blob"] = '{"access": "a", "secret": "b"}'
    assert keystone.api.post("/v3/credentials", body, token=ann["token"]).status_code == 201
    assert keystone.api.post("/v3/credentials", body, token=ann["token"]).status_code == 409


def test_policy_texts(keystone: Any, ann: dict[str, Any]) -> None:
    body = {"policy": {"type": "application/json", "blob": "{}", "colour": "red"}}
    made = keystone.api.post("/v3/policies", body)
    assert made.status_code == 201 and made.json["policy"]["colour"] == "red"
    url = f"/v3/policies/{made.json['policy']['id']}"
    assert keystone.api.get(url).json == made.json
    assert keystone.api.patch(url, {"policy": {"type": "x"}}).json["policy"]["type"] == "x"
    assert keystone.api.get("/v3/policies", token=ann["token"]).status_code == 403
    assert keystone.api.delete(url).status_code == 204
    assert keystone.api.get(url).status_code == 404
