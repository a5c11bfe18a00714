"""Every method of every URL by every role, on what is of the caller's project and of another one (SECURITY.md 18)."""

import dataclasses
import datetime
import functools
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import update

from controller.db.agents import Agent
from controller.db.columns import Base, now
from controller.network import routes
from controller.network.policies import RULES
from controller.web import app
from controller.web.resource import Cloud
from tests.fakes import bad_input
from tests.fakes.bad_input import Call
from tests.fakes.fake_cloud import FakeCloud
from tests.fakes.rehearsal import Rehearsal
from tests.fakes.whole_controller import NotedPolicy
from tests.functional.conftest import PROJECTS, Api, caller, default_options, projects
from tests.functional.network.decisions import ROLES, TABLE, Row

SERVICE = dataclasses.replace(routes.SERVICE, prefix="")
OWN, FOREIGN = "alpha", "beta"
LETTERS = {400: "b", 403: "-", 404: "0", 405: "x"}
Ids = Mapping[str, str]


class World:
    """Two projects that have one of everything, of which nothing that is asked changes anything."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.db = Rehearsal(f"sqlite:///{directory}/test.db")
        Base.metadata.create_all(self.db.engine)
        self.db.write(lambda session: session.add_all(projects()))
        conf = default_options()
        self.policy = NotedPolicy(conf, RULES)
        self.cloud = Cloud(conf=conf, db=self.db, policy=self.policy)
        self.api = Api(app.build(SERVICE, self.cloud, caller))
        fakes = FakeCloud(self.db)
        fakes.add_host("one")
        outside = self._make(
            "admin@admin", "networks", name="outside", **{"router:external": True}, is_default=True
        )
        pool = {"name": "default", "prefixes": ["10.30.0.0/16"], "default_prefixlen": 24}
        self._make("admin@admin", "subnetpools", **pool, is_default=True, shared=True)
        network = {"network_id": outside, "ip_version": 4, "cidr": "198.51.100.0/24"}
        self._make("admin@admin", "subnets", **network)
        self.ids = {project: self._belongings(project, outside) for project in (OWN, FOREIGN)}
        fakes.outbox.flush()
        # however slow the machine is, its host is alive to the end
        tomorrow = now() + datetime.timedelta(days=1)
        self.db.write(lambda session: session.execute(update(Agent).values(last_seen_at=tomorrow)))
        self.db.on_hint = lambda: None
        self.db.hold()

    def decision(self, row: Row, role: str, project: str) -> str:
        """The letter for what a call is answered; what else it may be is told as it is."""
        ids = self.ids[project]
        if "dhcp-networks" in row.url:
            ids = {**ids, "agents": ids["dhcp agents"]}
        url = Call(SERVICE, row.method, row.url, True).filled(ids)
        body = _filled(row.body, ids)
        of_another = "" if "{" in row.url or project == OWN else PROJECTS[project]
        if of_another and row.method == "GET":
            url += f"?project_id={of_another}"
        elif of_another:
            next(iter(body.values()))["project_id"] = of_another
        answer = self.api.call(row.method, url, body, token=f"{role}@{OWN}")
        self.db.undo()
        if of_another and answer.status_code == 200:
            return "y" if ids[row.url.rsplit("/", 1)[-1]] in answer.text else "0"
        is_done = answer.status_code < 300 or answer.status_code == 409
        return "y" if is_done else LETTERS.get(answer.status_code, f"({answer.text})")

    def rules_asked(self, row: Row) -> list[str]:
        """The policy rules that a call is held against."""
        self.policy.asked.clear()
        self.decision(row, "admin", OWN)
        return [rule for asked in self.policy.asked.values() for rule in asked]

    def _make(self, token: str, path: str, **values: Any) -> str:
        singular = re.sub("ies$", "ys", path.rsplit("/", 1)[-1]).replace("-", "_").removesuffix("s")
        answer = self.api.post(f"/v2.0/{path}", {singular: values}, token=token)
        assert answer.status_code == 201, f"{path}: {answer.text}"
        return str(answer.json[singular]["id"])

    def _belongings(self, project: str, outside: str) -> dict[str, str]:
        make = functools.partial(self._make, f"member@{project}")
        ids = {"networks": make("networks"), "outside": outside, "tags": "red", "extensions": "router"}
        subnet = {"network_id": ids["networks"], "ip_version": 4}
        ids["subnets"] = make("subnets", cidr="10.0.0.0/24", **subnet)
        ids["free subnet"] = make("subnets", cidr="10.8.0.0/24", **subnet)
        ids["ports"] = make("ports", network_id=ids["networks"], fixed_ips=[{"subnet_id": ids["subnets"]}])
        ids["security-groups"] = make("security-groups", name="g")
        rule = {"security_group_id": ids["security-groups"], "direction": "ingress"}
        ids["security-group-rules"] = make("security-group-rules", **rule)
        ids["address-groups"] = make("address-groups", addresses=["198.51.100.0/24"])
        templates = self.api.get("/v2.0/default-security-group-rules", token="admin").json
        ids["default-security-group-rules"] = templates["default_security_group_rules"][0]["id"]
        ids["routers"] = make("routers", external_gateway_info={"network_id": outside})
        joined = f"/v2.0/routers/{ids['routers']}/add_router_interface"
        token = f"member@{project}"
        assert self.api.put(joined, {"subnet_id": ids["subnets"]}, token=token).status_code == 200
        ids["floatingips"] = make("floatingips", floating_network_id=outside)
        forwarding = {"protocol": "tcp", "external_port": 80, "internal_port": 80}
        forwarding |= {"internal_port_id": ids["ports"]}
        shown = self.api.get(f"/v2.0/ports/{ids['ports']}", token=token).json["port"]
        forwarding["internal_ip_address"] = shown["fixed_ips"][0]["ip_address"]
        path = f"floatingips/{ids['floatingips']}/port_forwardings"
        ids["port_forwardings"] = make(path, **forwarding)
        access = {"object_type": "network", "object_id": ids["networks"], "action": "access_as_shared"}
        ids["rbac-policies"] = make("rbac-policies", **access, target_tenant="d" * 32)
        ids["address-scopes"] = make("address-scopes", ip_version=4)
        ids["subnetpools"] = make("subnetpools", name="p", prefixes=["10.40.0.0/16"])
        ids |= self._qos(project)
        for name in ("parent", "free port"):
            ids[name] = make("ports", network_id=ids["networks"])
        ids["trunks"] = make("trunks", port_id=ids["parent"])
        for kind in (
            "networks",
            "subnetpools",
            "subnets",
            "ports",
            "security-groups",
            "routers",
            "floatingips",
            "qos/policies",
            "trunks",
        ):
            self.api.put(f"/v2.0/{kind}/{ids[kind]}/tags/red", token=token)
        limits = {"quota": {"network": 50}}
        assert self.api.put(f"/v2.0/quotas/{PROJECTS[project]}", limits, token="admin").status_code == 200
        agents = self.api.get("/v2.0/agents", token="admin").json["agents"]
        by_type = {agent["agent_type"]: agent["id"] for agent in agents}
        ids |= {"dhcp agents": by_type["DHCP agent"], "dhcp-networks": ids["networks"]}
        further = {"agents": by_type["L3 agent"], "l3-routers": ids["routers"], "quotas": PROJECTS[project]}
        further["auto-allocated-topology"] = PROJECTS[project]
        return ids | further | {"network-ip-availabilities": ids["networks"]}

    def _qos(self, project: str) -> dict[str, str]:
        """A policy with a rule of each kind."""
        token, url = f"manager@{project}", "/v2.0/qos/policies"
        policy = self.api.post(url, {"policy": {"name": "p"}}, token=token).json["policy"]["id"]
        ids = {"policies": policy, "qos/policies": policy, "rule-types": "dscp_marking"}
        for kind, values in (
            ("bandwidth_limit", {"max_kbps": 5}),
            ("dscp_marking", {"dscp_mark": 8}),
            ("packet_rate_limit", {"max_kpps": 5}),
        ):
            made = self.api.post(f"{url}/{policy}/{kind}_rules", {f"{kind}_rule": values}, token=token)
            words = f"{kind}_rules"
            for name in (words, f"alias_{words}", f"alias-{words.replace('_', '-')}"):
                ids[name] = made.json[f"{kind}_rule"]["id"]
        return ids


def _filled(body: Any, ids: Ids) -> Any:
    """A body with the ids of what is named in braces."""
    if isinstance(body, dict):
        return {name: _filled(value, ids) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, ids) for value in body]
    return re.sub(r"\{(.+?)\}", lambda m: ids[m[1]], body) if isinstance(body, str) else body


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.db.close()


def test_every_route_has_its_decisions(world: World) -> None:
    calls = [c for c in bad_input.calls(world.cloud, SERVICE) if c.is_there and not c.is_public]
    there = {(call.method, call.path) for call in calls}
    known = {(row.method, row.url) for row in TABLE}
    missing = "\n".join(f'    Row("{method}", "{url}", own=…, foreign=…),' for method, url in there - known)
    assert not missing, (
        f"say in tests/functional/network/decisions.py who may do this, in his own project and in another's, a letter "
        f"for each of {', '.join(ROLES)} (y done, - 403, 0 404, b 400, x 405), with a body where it needs one; and "
        f"have World._belongings make one of each:\n{missing}"
    )
    assert not known - there, "these are gone: take their rows away"
    assert len(known) == len(TABLE), "a row is there twice"


def test_every_route_asks_a_rule(world: World) -> None:
    """The one who may do everything is asked as well: nothing is open by forgetting."""
    unguarded = [f"{row.method} {row.url}" for row in TABLE if not world.rules_asked(row)]
    assert not unguarded, "call self.allow(req, rule) first, with a rule of policies.py"


def test_decisions(world: World) -> None:
    wrong = []
    for row in TABLE:
        for project, expected in ((OWN, row.own), (FOREIGN, row.foreign)):
            found = "".join(world.decision(row, role, project) for role in ROLES[: len(expected)])
            if found != expected:
                wrong.append(f"{row.method} {row.url} of {project}: {found}, expected {expected}")
    assert not wrong, "\n".join(["roles are " + ", ".join(ROLES), *wrong])


def test_without_a_token_nothing_is_answered(world: World) -> None:
    for row in TABLE:
        url = Call(SERVICE, row.method, row.url, True).filled(world.ids[OWN])
        answer = world.api.call(row.method, url, _filled(row.body, world.ids[OWN]), token="")
        assert answer.status_code == 401, f"{row.method} {url}"
