"""Bug classes of SECURITY.md that are identity's: 14, 15, 16, 17, 18 and 25."""

import itertools
import statistics
import threading
import time
from typing import Any

import pytest

from controller.identity.policies import RULES
from controller.identity.routes import ROUTES
from controller.web.caller import Caller
from controller.web.errors import Forbidden
from controller.web.policy import Policy

FORGED = {
    "X-User-Id": "0" * 32,
    "X-User-Name": "admin",
    "X-Roles": "admin",
    "X-Role": "admin",
    "X-Project-Id": "0" * 32,
    "X-Tenant-Id": "0" * 32,
    "X-Domain-Id": "default",
    "X-Identity-Status": "Confirmed",
    "X-Service-Identity-Status": "Confirmed",
    "X-Service-Roles": "admin,service",
    "X-Is-Admin-Project": "True",
    "OpenStack-System-Scope": "all",
}


# --- 14: identity only comes from the token


def test_identity_headers_are_nothing(keystone: Any) -> None:
    keystone.member("ann", "annex")
    ann = keystone.token("ann", "pw", "annex")
    assert keystone.api.get("/v3/users", token="", headers=FORGED).status_code == 401
    assert keystone.api.get("/v3/users", token=ann, headers=FORGED).status_code == 403
    shown = keystone.api.get("/v3/auth/tokens", token=ann, headers={"X-Subject-Token": ann, **FORGED})
    assert shown.json["token"]["user"]["name"] == "ann"


def test_interleaved_requests_never_mix_users(keystone: Any) -> None:
    tokens = {}
    for number in range(8):
        user, _ = keystone.member(f"u{number}", f"p{number}")
        tokens[user["id"]] = keystone.token(f"u{number}", "pw", f"p{number}")
    wrong: list[str] = []

    def ask(user_id: str, token: str) -> None:
        for _ in range(25):
            shown = keystone.api.get(f"/v3/users/{user_id}", token=token)
            if shown.status_code != 200 or shown.json["user"]["id"] != user_id:
                wrong.append(shown.text)

    threads = [threading.Thread(target=ask, args=pair) for pair in tokens.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- 15: what ends a token ends it at once


def _patch(kind: str, key: str, **values: Any) -> Any:
    return lambda k, ids: k.api.patch(f"/v3/{kind}s/{ids[key]}", {kind: values})


def _disable_domain(keystone: Any, ids: dict[str, str]) -> Any:
    return keystone.api.patch(f"/v3/domains/{ids['domain']}", {"domain": {"enabled": False}})


def _change_own_password(keystone: Any, ids: dict[str, str]) -> Any:
    body = {"user": {"password": "other", "original_password": "pw"}}
    return keystone.api.post(f"/v3/users/{ids['user']}/password", body, token=ids["token"])


ENDS = {
    "user disabled": _patch("user", "user", enabled=False),
    "user deleted": lambda k, ids: k.api.delete(f"/v3/users/{ids['user']}"),
    "password set": _patch("user", "user", password="other"),
    "password changed": _change_own_password,
    "project disabled": _patch("project", "project", enabled=False),
    "project deleted": lambda k, ids: k.api.delete(f"/v3/projects/{ids['project']}"),
    "domain disabled": _disable_domain,
    "role taken": lambda k, ids: k.api.delete(ids["grant"]),
    "role deleted": lambda k, ids: k.api.delete(f"/v3/roles/{ids['role']}"),
    "revoked": lambda k, ids: k.api.delete("/v3/auth/tokens", headers={"X-Subject-Token": ids["token"]}),
}


def _someone(keystone: Any) -> dict[str, str]:
    domain = keystone.make("domain", name="side")["id"]
    user = keystone.make("user", name="ann", password="pw", domain_id=domain)["id"]
    project = keystone.make("project", name="annex", domain_id=domain)["id"]
    role = keystone.make("role", name="extra")["id"]
    grant = f"/v3/projects/{project}/users/{user}/roles/{role}"
    keystone.api.put(grant)
    answer = keystone.login("ann", "pw", {"project": {"id": project}}, domain=domain)
    ids = {"domain": domain, "user": user, "project": project, "role": role, "grant": grant}
    return {**ids, "token": answer.headers["X-Subject-Token"]}


@pytest.mark.parametrize("how", ENDS)
def test_token_ends_at_once(keystone: Any, how: str) -> None:
    ids = _someone(keystone)
    keystone.authenticate(ids["token"])
    assert keystone.api.get("/v3/auth/projects", token=ids["token"]).status_code == 200
    assert ENDS[how](keystone, ids).status_code in (200, 204)
    assert keystone.api.get("/v3/auth/projects", token=ids["token"]).status_code == 401
    headers = {"X-Subject-Token": ids["token"]}
    assert keystone.api.get("/v3/auth/tokens", headers=headers).status_code == 404


def test_token_of_a_disabled_user_stays_dead_when_enabled_again(keystone: Any) -> None:
    ids = _someone(keystone)
    for value in (False, True):
        keystone.api.patch(f"/v3/users/{ids['user']}", {"user": {"enabled": value}})
    assert keystone.api.get("/v3/auth/projects", token=ids["token"]).status_code == 401


def test_leaving_a_group_ends_its_roles(keystone: Any) -> None:
    user = keystone.make("user", name="bob", password="pw")["id"]
    project = keystone.make("project", name="works")["id"]
    group = keystone.make("group", name="crew")["id"]
    keystone.api.put(f"/v3/groups/{group}/users/{user}")
    keystone.api.put(f"/v3/projects/{project}/groups/{group}/roles/{keystone.role_id('member')}")
    token = keystone.token("bob", "pw", "works")
    assert keystone.authenticate(token).roles == {"member", "reader"}
    assert keystone.api.delete(f"/v3/groups/{group}/users/{user}").status_code == 204
    assert keystone.api.get("/v3/auth/projects", token=token).status_code == 401


def test_expired_token(keystone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    object.__setattr__(keystone.tools, "lifetime_s", -1)
    late = keystone.token("admin", "secret", "admin")
    assert keystone.api.get("/v3/users", token=late).status_code == 401


# --- 16: others' secrets


def test_no_answer_shows_a_password(keystone: Any) -> None:
    user, _ = keystone.member("ann", "annex")
    for url in ("/v3/users", f"/v3/users/{user['id']}"):
        text = keystone.api.get(url).text
        assert "password_hash" not in text and "$2b$" not in text and '"password"' not in text


def test_users_see_themselves_and_nobody_else(keystone: Any) -> None:
    ann, annex = keystone.member("ann", "annex")
    bob, works = keystone.member("bob", "works")
    token = keystone.token("ann", "pw", "annex")
    for url in (
        "/v3/users/{user}",
        "/v3/users/{user}/projects",
        "/v3/users/{user}/groups",
        "/v3/projects/{project}",
    ):
        own = keystone.api.get(url.format(user=ann["id"], project=annex["id"]), token=token)
        other = keystone.api.get(url.format(user=bob["id"], project=works["id"]), token=token)
        assert (own.status_code, other.status_code) == (200, 403), url
    body = {"user": {"password": "x", "original_password": "pw"}}
    assert keystone.api.post(f"/v3/users/{bob['id']}/password", body, token=token).status_code == 403


# --- 17: no oracle of accounts


def test_refusals_look_the_same(keystone: Any) -> None:
    keystone.member("ann", "annex")
    off, _ = keystone.member("off", "offices")
    keystone.api.patch(f"/v3/users/{off['id']}", {"user": {"enabled": False}})
    keystone.make("user", name="none")
    cases = [("ann", "wrong"), ("nobody", "pw"), ("off", "pw"), ("off", "wrong"), ("none", "pw")]
    answers = [keystone.login(name, password, "annex") for name, password in cases]
    assert {a.status_code for a in answers} == {401}
    assert len({a.text for a in answers}) == 1


def test_refusals_cost_a_bcrypt_each(keystone: Any) -> None:
    keystone.tools.passwords._rounds = 8
    keystone.tools.passwords._nobody = keystone.tools.passwords.hashed("x")
    keystone.member("ann", "annex")
    off, _ = keystone.member("off", "offices")
    keystone.login("off", "pw", "offices")
    keystone.api.patch(f"/v3/users/{off['id']}", {"user": {"enabled": False}})

    def cost(name: str, password: str) -> float:
        times = []
        for _ in range(5):
            began = time.thread_time()
            keystone.login(name, password, "annex")
            times.append(time.thread_time() - began)
        return statistics.median(times)

    times = [cost("ann", "wrong"), cost("nobody", "pw"), cost("off", "pw")]
    assert max(times) < 2 * min(times), times


def test_remembered_password_is_quick_and_forgotten_by_a_change(keystone: Any) -> None:
    user, _ = keystone.member("ann", "annex")
    keystone.token("ann", "pw", "annex")
    assert len(keystone.tools.passwords._right) >= 1
    keystone.api.patch(f"/v3/users/{user['id']}", {"user": {"password": "other"}})
    assert keystone.login("ann", "pw", "annex").status_code == 401
    assert keystone.login("ann", "other", "annex").status_code == 201


# --- 18: no route without a policy

#: Anyone may: version documents, and getting a token.
OPEN = {("/", "GET"), ("/", "HEAD"), ("/v3", "GET"), ("/v3", "HEAD"), ("/v3/auth/tokens", "POST")}


def _calls() -> list[tuple[str, str]]:
    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    return [call for call in itertools.product([r[0] for r in ROUTES], methods) if call not in OPEN]


def test_every_call_asks_the_policy(keystone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(_self: Policy, _caller: Caller, rule: str) -> None:
        asked.append(rule)
        raise Forbidden(rule)

    monkeypatch.setattr(Policy, "check", refuse)
    known = {rule.name for rule in RULES}
    reached = 0
    for path, method in _calls():
        url = path.replace("{", "").replace("}", "")
        asked.clear()
        status = keystone.api.call(method, url).status_code
        assert status in (403, 405), (method, path, status)
        assert status == 405 or (len(asked) == 1 and set(asked) <= known), (method, path, asked)
        reached += status == 403
    assert reached > 100


def test_every_call_needs_a_token(keystone: Any) -> None:
    for path, method in _calls():
        url = path.replace("{", "").replace("}", "")
        assert keystone.api.call(method, url, token="").status_code in (401, 405), (method, path)


def test_nobody_but_admin_writes(keystone: Any) -> None:
    """But for one's own tokens and credentials, which test_tokens and test_delegation look at."""
    keystone.member("ann", "annex")
    token = keystone.token("ann", "pw", "annex")
    for path, method in _calls():
        if method in ("GET", "HEAD") or path in ("/v3/auth/tokens", "/v3/credentials"):
            continue
        url = path.replace("{", "").replace("}", "")
        assert keystone.api.call(method, url, token=token).status_code in (403, 405), (method, path)


# --- 25: nothing is read through the catalog


@pytest.mark.parametrize(
    "url",
    [
        "http://x/$(admin_token)s",
        "http://x/%(admin_token)s",
        "http://x/%(project_id)d",
        "http://x/$(project_id)s$(password)s",
        "http://x/%(project_id.__class__)s",
        "http://x/%s",
        "http://x/$(project_id)",
    ],
)
def test_foreign_substitutions_are_refused(keystone: Any, url: str) -> None:
    service = keystone.make("service", type="t")["id"]
    body = {"endpoint": {"interface": "public", "service_id": service, "url": url}}
    assert keystone.api.post("/v3/endpoints", body).status_code == 400
    made = keystone.make("endpoint", interface="public", service_id=service, url="http://x/$(tenant_id)s/%20")
    changed = keystone.api.patch(f"/v3/endpoints/{made['id']}", {"endpoint": {"url": url}})
    assert changed.status_code == 400
