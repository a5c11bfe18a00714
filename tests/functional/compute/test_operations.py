"""Every operation under three shared tests: each step twice, each step failing, each undo twice.

A step may run again after a crash in its middle, and any may fail for good: whatever happens, the operation
ends, nothing waits for ever, and deleting everything afterwards leaves no trace.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from controller.db.session import Database
from controller.main.engine_assembly import DEFINITIONS
from controller.operations.step import Act, Definition, Run, Step, StepFailed, Waiting
from tests.fakes.fake_cloud import FakeCloud
from tests.functional.compute.test_servers import SERVERS, allocations, create, nothing_is_under_way, show
from tests.functional.conftest import Api


class Actors:
    """A server on a host, and how each operation on it is asked for."""

    def __init__(self, cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any]) -> None:
        self.cloud, self.api, self.db, self.body = cloud, api, db, body
        self.host = cloud.add_host("one")
        self.server_id = ""
        self.volume_id = ""
        self.port_id = ""

    def rests(self) -> None:
        """Nothing is under way."""
        self.cloud.until(lambda: nothing_is_under_way(self.db), 30)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.api.post(f"{SERVERS}/{self.server_id}{path}", body)
        assert answer.status_code in (200, 202), answer.text
        return answer.json

    def boot(self) -> None:
        self.server_id = create(self.api, self.body)

    def delete(self) -> None:
        assert self.api.delete(f"{SERVERS}/{self.server_id}").status_code == 204

    def stop(self) -> None:
        self.post("/action", {"os-stop": None})

    def start(self) -> None:
        self.post("/action", {"os-start": None})

    def reboot(self, kind: str) -> None:
        self.post("/action", {"reboot": {"type": kind}})

    def attach_volume(self) -> None:
        made = self.api.post("/volume/v3/volumes", {"volume": {"size": 1, "name": "v"}})
        self.volume_id = made.json["volume"]["id"]
        self.cloud.until(lambda: self.volume() == "available")
        self.post("/os-volume_attachments", {"volumeAttachment": {"volumeId": self.volume_id}})

    def detach_volume(self) -> None:
        path = f"{SERVERS}/{self.server_id}/os-volume_attachments/{self.volume_id}"
        assert self.api.delete(path).status_code == 202

    def attach_interface(self) -> None:
        network = self.body["server"]["networks"][0]["uuid"]
        made = self.post("/os-interface", {"interfaceAttachment": {"net_id": network}})
        self.port_id = made["interfaceAttachment"]["port_id"]

    def detach_interface(self) -> None:
        assert self.api.delete(f"{SERVERS}/{self.server_id}/os-interface/{self.port_id}").status_code == 202

    def volume(self) -> str:
        return str(self.api.get(f"/volume/v3/volumes/{self.volume_id}").json["volume"]["status"])

    def clear(self) -> None:
        """Deletes all; nothing is left anywhere."""
        self.host.beat()
        if show(self.api, self.server_id) is not None:
            self.delete()
        self.cloud.until(lambda: show(self.api, self.server_id) is None)
        if self.volume_id:
            self.cloud.until(lambda: self.volume() == "available")
            assert self.api.delete(f"/volume/v3/volumes/{self.volume_id}").status_code == 202
        self.rests()
        self.cloud.until(lambda: not self.host.held)
        assert allocations(self.db) == 0
        assert self.api.get("/network/v2.0/ports?device_owner=compute:nova").json["ports"] == []


@pytest.fixture
def actors(cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any]) -> Actors:
    return Actors(cloud, api, db, body)


#: Operation: what comes before it, and what asks for it.
VERBS: dict[str, tuple[tuple[str, ...], Callable[[Actors], None]]] = {
    "server.boot": ((), Actors.boot),
    "server.delete": (("boot",), Actors.delete),
    "server.stop": (("boot",), Actors.stop),
    "server.start": (("boot", "stop"), Actors.start),
    "server.reboot_soft": (("boot",), lambda a: a.reboot("SOFT")),
    "server.reboot_hard": (("boot",), lambda a: a.reboot("HARD")),
    "server.attach_volume": (("boot",), Actors.attach_volume),
    "server.detach_volume": (("boot", "attach_volume"), Actors.detach_volume),
    "server.attach_interface": (("boot",), Actors.attach_interface),
    "server.detach_interface": (("boot", "attach_interface"), Actors.detach_interface),
}
_STEPS = [(kind, step.name) for kind in VERBS for step in DEFINITIONS[kind].steps]


def test_every_operation_on_servers_is_here() -> None:
    assert set(VERBS) == {kind for kind in DEFINITIONS if kind.startswith("server.")}


def prepare(actors: Actors, kind: str) -> None:
    for verb in VERBS[kind][0]:
        getattr(actors, verb)()
        actors.rests()


def replace(cloud: FakeCloud, kind: str, change: Callable[[Step], Step]) -> None:
    definition = DEFINITIONS[kind]
    steps = tuple(change(step) for step in definition.steps)
    cloud.definitions[kind] = dataclasses.replace(definition, steps=steps)


def restore(cloud: FakeCloud, kind: str) -> None:
    cloud.definitions[kind] = DEFINITIONS[kind]


def twice(act: Act | None) -> Act | None:
    """As after a crash between the act and the note that it was done."""

    def do(run: Run) -> Waiting | None:
        assert act is not None
        return act(run) or act(run)

    return do if act is not None else None


def failing_after(act: Act) -> Act:
    def do(run: Run) -> Waiting | None:
        if act(run) is None:
            raise StepFailed("it was not to be")
        return Waiting("it to fail", again_s=0.1)

    return do


def ended(definition: Definition, actors: Actors) -> list[str]:
    url = f"{SERVERS}/{actors.server_id}/os-instance-actions"
    actions = actors.api.get(url, headers={"OpenStack-API-Version": "compute 2.90"}).json["instanceActions"]
    return [a["message"] for a in actions if a["action"] == definition.action]


@pytest.mark.parametrize("kind", VERBS)
def test_each_step_twice(actors: Actors, kind: str) -> None:
    prepare(actors, kind)
    replace(actors.cloud, kind, lambda s: dataclasses.replace(s, do=twice(s.do)))
    VERBS[kind][1](actors)
    actors.rests()
    server = show(actors.api, actors.server_id)
    assert server is None or server["status"] in ("ACTIVE", "SHUTOFF"), server
    restore(actors.cloud, kind)
    actors.clear()


@pytest.mark.parametrize(("kind", "name"), _STEPS)
def test_each_step_failing_and_each_undo_twice(actors: Actors, kind: str, name: str) -> None:
    prepare(actors, kind)

    def change(step: Step) -> Step:
        do = failing_after(step.do) if step.name == name else step.do
        return dataclasses.replace(step, do=do, undo=twice(step.undo))

    replace(actors.cloud, kind, change)
    VERBS[kind][1](actors)
    actors.rests()
    server = show(actors.api, actors.server_id)
    if server is not None:
        assert server["OS-EXT-STS:task_state"] is None
        assert server["status"] != "ERROR" or server["fault"]["message"] == "it was not to be"
    restore(actors.cloud, kind)
    actors.clear()
