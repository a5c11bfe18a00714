"""All services with real tokens over one database, and two projects that have one thing of every kind.

Nothing runs beside it once it is built: what an engine would do later is no matter of the API.
"""

import contextlib
import pathlib
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from falcon import testing
from oslo_config import cfg
from oslo_policy.policy import RuleDefault

from controller.db.columns import Base
from controller.db.sealed import MasterKey
from controller.identity import options as identity_options
from controller.identity import tools as identity_tools
from controller.identity.bootstrap import Beginning, bootstrap
from controller.identity.tokens.validate import authenticate
from controller.image import options as image_options
from controller.main.assembly import RULES, SERVICES
from controller.volume.types.model import ensure_default_type
from controller.web import app as web
from controller.web.caller import Caller
from controller.web.policy import Policy
from controller.web.resource import Cloud
from runtime import settings
from tests.fakes.fake_cloud import FakeCloud
from tests.fakes.rehearsal import Rehearsal

PASSWORD = "the-administrators-password"
MASTER = MasterKey(b"m" * 32)
DISK = b"a small disk" * 100
PUBLIC_KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBsMVU1TJk3wYr6Rk4F3cyYSB9Hq0HMZkEL7GZ8M4pXN someone@somewhere"
)


class NotedPolicy(Policy):
    """Remembers which rules each thread's request was held against."""

    def __init__(self, conf: cfg.ConfigOpts, rules: Iterable[RuleDefault]) -> None:
        super().__init__(conf, rules)
        self.asked: dict[int, list[str]] = {}

    def allows(self, caller: Caller, rule: str) -> bool:
        """As the original."""
        self.asked.setdefault(threading.get_ident(), []).append(rule)
        return super().allows(caller, rule)


class Consoles:
    """What a host would answer."""

    def console_output(self, _host: str, _server_id: str, _length: int | None) -> str:
        """Always the same."""
        return "a console"


class Whole:
    """The controller, and the ids of what it has: ``own`` and ``foreign`` by kind (plural, as in paths)."""

    def __init__(self, url: str, directory: pathlib.Path) -> None:
        self.db = Rehearsal(url)
        Base.metadata.drop_all(self.db.engine)
        Base.metadata.create_all(self.db.engine)
        self.conf = _options(directory)
        self.identity = identity_tools.make(self.conf, self.db, MASTER)
        bootstrap(self.db, MASTER, self.identity.passwords, Beginning(PASSWORD, "http://cloud"))
        self.db.write(ensure_default_type)
        self.policy = NotedPolicy(self.conf, RULES)
        self.cloud = Cloud(self.conf, self.db, self.policy, self._tools())
        check = self._remembering(authenticate(self.db, self.identity.keys))
        self.app = web.mount([(s.prefix, web.build(s, self.cloud, check)) for s in SERVICES], _nothing)
        self.client = testing.TestClient(self.app)
        self.tokens: dict[str, str] = {"": ""}
        self.own: dict[str, str] = {}
        self.foreign: dict[str, str] = {}
        self._fill()

    def call(
        self, method: str, path: str, body: Any = None, token: str = "member", **more: Any
    ) -> testing.Result:
        """One request; ``token`` is the name of a caller: admin, member, other or nobody."""
        path, _, query = path.partition("?")
        headers = {"X-Auth-Token": self.tokens.get(token, token), **more.pop("headers", {})}
        raw = more.pop("raw", None)
        if raw is not None:
            more["body"] = raw
        elif body is not None:
            more["json"] = body
        return self.client.simulate_request(method, path, headers=headers, query_string=query, **more)

    def must(self, method: str, path: str, body: Any = None, token: str = "member") -> Any:
        """The JSON of an answer that must be a good one."""
        answer = self.call(method, path, body, token)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json if answer.content else None

    def login(self, name: str, password: str, project: str) -> str:
        """A token of a user on a project, both of the default domain."""
        domain = {"id": "default"}
        user = {"name": name, "password": password, "domain": domain}
        scope = {"project": {"name": project, "domain": domain}}
        identity = {"methods": ["password"], "password": {"user": user}}
        answer = self.call(
            "POST", "/identity/v3/auth/tokens", {"auth": {"identity": identity, "scope": scope}}, ""
        )
        assert answer.status_code == 201, answer.text
        return str(answer.headers["X-Subject-Token"])

    def _remembering(self, check: web.Authenticate) -> web.Authenticate:
        """Callers that are known once the world is held: half of what a refused request costs is the token."""
        known: dict[str, Caller] = {}

        def checked(token: str) -> Caller:
            if token not in self.tokens.values() or not self.db.is_held:
                return check(token)
            if token not in known:
                known[token] = check(token)
            return known[token]

        return checked

    def _tools(self) -> Mapping[str, Any]:
        return {
            "consoles": Consoles(),
            "host_key": lambda _host: b"k",
            "may_read_image": lambda *_: True,
            identity_tools.NAME: self.identity,
        }

    def _fill(self) -> None:
        self.tokens["admin"] = self.login("admin", PASSWORD, "admin")
        self.must("POST", "/identity/v3/roles", {"role": {"name": "nothing"}}, "admin")
        for name, project, role in (
            ("member", "alpha", "member"),
            ("other", "beta", "member"),
            ("nobody", "alpha", "nothing"),
        ):
            self._user(name, project, role)
        flavor = {"name": "tiny", "ram": 512, "disk": 1, "vcpus": 1}
        flavor_id = self.must("POST", "/compute/v2.1/flavors", {"flavor": flavor}, "admin")["flavor"]["id"]
        with contextlib.ExitStack() as stack:
            fakes = FakeCloud(self.db)
            fakes.start(stack)
            fakes.add_host("one")
            for token, ids in (("member", self.own), ("other", self.foreign)):
                ids["flavors"] = flavor_id
                self._belongings(fakes, token, ids)
        self.db.on_hint = lambda: None

    def _user(self, name: str, project: str, role: str) -> None:
        user = {"name": name, "password": f"password-of-{name}"}
        user_id = self.must("POST", "/identity/v3/users", {"user": user}, "admin")["user"]["id"]
        known = self.must("GET", f"/identity/v3/projects?name={project}", token="admin")["projects"]
        if not known:
            made = {"project": {"name": project}}
            known = [self.must("POST", "/identity/v3/projects", made, "admin")["project"]]
        roles = self.must("GET", f"/identity/v3/roles?name={role}", token="admin")["roles"]
        grant = f"/identity/v3/projects/{known[0]['id']}/users/{user_id}/roles/{roles[0]['id']}"
        self.must("PUT", grant, token="admin")
        self.tokens[name] = self.login(name, f"password-of-{name}", project)
        ids = self.foreign if name == "other" else self.own
        ids |= {"projects": known[0]["id"], "roles": roles[0]["id"]}
        ids.setdefault("users", user_id)

    def _belongings(self, fakes: FakeCloud, token: str, ids: dict[str, str]) -> None:
        def make(path: str, singular: str, **values: Any) -> str:
            made = self.must("POST", path, {singular: values}, token)[singular]
            return str(made.get("id") or made["name"])

        net = "/network/v2.0"
        ids["networks"] = make(f"{net}/networks", "network", name="n")
        subnet = {"network_id": ids["networks"], "ip_version": 4, "cidr": "10.0.0.0/24"}
        ids["subnets"] = make(f"{net}/subnets", "subnet", **subnet)
        ids["ports"] = make(f"{net}/ports", "port", network_id=ids["networks"])
        ids["security-groups"] = make(f"{net}/security-groups", "security_group", name="g")
        rule = {"security_group_id": ids["security-groups"], "direction": "ingress"}
        ids["security-group-rules"] = make(f"{net}/security-group-rules", "security_group_rule", **rule)
        image = {"name": "i", "disk_format": "raw", "container_format": "bare"}
        ids["images"] = self.must("POST", "/image/v2/images", image, token)["id"]
        sent = self.client.simulate_put(
            f"/image/v2/images/{ids['images']}/file",
            body=DISK,
            headers={"X-Auth-Token": self.tokens[token], "Content-Type": "application/octet-stream"},
        )
        assert sent.status_code == 204, sent.text
        key = {"name": f"key-of-{token}", "public_key": PUBLIC_KEY}
        ids["os-keypairs"] = make("/compute/v2.1/os-keypairs", "keypair", **key)
        ids["volumes"] = make("/volume/v3/volumes", "volume", size=1, name="v", metadata={"k": "v"})
        server = {
            "name": "s",
            "imageRef": ids["images"],
            "flavorRef": ids["flavors"],
            "networks": [{"uuid": ids["networks"]}],
            "metadata": {"k": "v"},
        }
        ids["servers"] = make("/compute/v2.1/servers", "server", **server)
        url = f"/compute/v2.1/servers/{ids['servers']}"
        fakes.until(lambda: self.must("GET", url, token=token)["server"]["status"] == "ACTIVE")
        volume = f"/volume/v3/volumes/{ids['volumes']}"
        fakes.until(lambda: self.must("GET", volume, token=token)["volume"]["status"] == "available")


def _options(directory: pathlib.Path) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    settings.register(conf)
    identity_options.register(conf)
    image_options.register(conf)
    conf([], project="cumulet", default_config_files=[])
    conf.set_override("state_path", str(directory))
    conf.set_override("password_rounds", 4, group="identity")
    return conf


def _nothing(_environ: Any, start_response: Any) -> list[bytes]:
    start_response("404 Not Found", [])
    return [b""]
