"""A bootstrapped keystone: real tokens, cheap bcrypt."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from oslo_config import cfg

from controller.db.sealed import MasterKey
from controller.db.session import Database
from controller.identity import options, policies, tools
from controller.identity.bootstrap import Beginning, bootstrap
from controller.identity.routes import SERVICE
from controller.identity.tokens.validate import authenticate
from controller.web.caller import Caller

MASTER = MasterKey(b"m" * 32)
PASSWORD = "secret"


@dataclasses.dataclass
class Keystone:
    """The API and what stands behind it."""

    api: Any
    tools: tools.Tools
    authenticate: Callable[[str], Caller]
    admin: str = ""

    def login(self, name: str, password: str, scope: Any = None, domain: str = "default") -> Any:
        """The answer to POST /v3/auth/tokens; ``scope`` may be a project's name in the default domain."""
        if isinstance(scope, str) and scope != "unscoped":
            scope = {"project": {"name": scope, "domain": {"id": "default"}}}
        user = {"name": name, "password": password, "domain": {"id": domain}}
        body: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": user}}}
        if scope is not None:
            body["scope"] = scope
        return self.api.post("/v3/auth/tokens", {"auth": body}, token="")

    def token(self, name: str, password: str, scope: Any = None) -> str:
        """A token."""
        answer = self.login(name, password, scope)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["X-Subject-Token"])

    def make(self, kind: str, **values: Any) -> Any:
        """Creates a project, user, ...: what the answer says of it."""
        answer = self.api.post(f"/v3/{kind}s", {kind: values})
        assert answer.status_code == 201, answer.text
        return answer.json[kind]

    def role_id(self, name: str) -> str:
        """The id of a role."""
        return str(self.api.get(f"/v3/roles?name={name}").json["roles"][0]["id"])

    def member(self, name: str, project: str, role: str = "member") -> tuple[Any, Any]:
        """A new user with the password "pw" and a role on a new project."""
        user = self.make("user", name=name, password="pw")
        made = self.make("project", name=project)
        url = f"/v3/projects/{made['id']}/users/{user['id']}/roles/{self.role_id(role)}"
        assert self.api.put(url).status_code == 204
        return user, made


@pytest.fixture
def keystone(conf: cfg.ConfigOpts, db: Database, client_of: Callable[..., Any]) -> Keystone:
    """With an admin's token as the default."""
    options.register(conf)
    conf.set_override("password_rounds", 4, group="identity")
    made = tools.make(conf, db, MASTER)
    beginning = Beginning(PASSWORD, "http://cloud")
    bootstrap(db, MASTER, made.passwords, beginning)
    check = authenticate(db, made.keys)
    api = client_of(SERVICE, policies.RULES, {"identity": made}, check)
    found = Keystone(api, made, check)
    found.admin = api.token = found.token("admin", PASSWORD, "admin")
    return found
