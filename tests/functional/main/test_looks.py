"""``controller-manage status``, ``timeline`` and ``why``, as an operator types them."""

import datetime
import json
import pathlib
import time
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from controller.compute.servers.model import Server
from controller.db.agents import Agent
from controller.db.columns import now
from controller.db.host_documents import HostDocument
from controller.db.session import Database
from controller.main import manage
from controller.main.look import status, timeline, why
from controller.operations.model import Operation, OperationEvent
from controller.volume.volumes.model import Volume
from tests.functional.conftest import PROJECTS

REQUEST = "req-11111111-1111-4111-8111-111111111111"
Look = Callable[..., Result]


@pytest.fixture
def look(db: Database, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Runs a command on the test's database."""

    class Process:
        def __init__(self) -> None:
            self.db = db

    for module in (status, timeline, why):
        monkeypatch.setattr(module, "configured", Process)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(manage.cli, arguments)

    return run


@pytest.fixture
def server(db: Database) -> str:
    """A server whose boot failed on one host."""
    began = now() - datetime.timedelta(seconds=30)
    row = Server(
        id="s1",
        project_id=PROJECTS["alpha"],
        user_id="u",
        name="web",
        hostname="web",
        state="error",
        vcpus=1,
        ram_mib=128,
        disk_gib=1,
        flavor_id="1",
        flavor_name="m1.tiny",
        reservation_id="r",
        fault={"message": "No host was found.", "details": "ram: one"},
    )
    operation = Operation(
        id="o1",
        kind="server.boot",
        action="create",
        subject="server:s1",
        project_id=PROJECTS["alpha"],
        user_id="u",
        request_id=REQUEST,
        state="failed",
        memory={"rejected_hosts": ["one"]},
        fault="No host was found.",
        started_at=began,
        finished_at=began + datetime.timedelta(seconds=2),
    )
    event = OperationEvent(
        id="e1",
        operation_id="o1",
        name="place",
        started_at=began,
        finished_at=began + datetime.timedelta(seconds=1),
        result="failed",
        fault="No host was found.",
    )
    document = HostDocument(
        host="one",
        kind="server",
        resource_id="s1",
        agent="nova-compute",
        digest="d",
        revision=1,
        reported_digest="d",
        state="retrying",
        fault="qemu ended",
    )
    db.write(lambda session: session.add_all([row, operation, event, document]))
    return "s1"


def test_status_of_a_cloud_with_nothing(look: Look) -> None:
    result = look("status")
    assert result.exit_code == 0
    assert "none was ever heard" in result.output


def test_status(look: Look, db: Database, server: str) -> None:
    agents = [
        Agent(id="a1", host="one", agent="nova-compute", last_seen_at=now()),
        Agent(id="a2", host="one", agent="ovs-agent", last_seen_at=now() - datetime.timedelta(hours=1)),
        Agent(id="a3", host="one", agent="volume-agent", frozen="an older copy", last_seen_at=now()),
    ]
    volume = Volume(
        id="v1", project_id="p", user_id="u", size_gib=1, wanted_gib=1, volume_type_id="t", status="available"
    )
    running = Operation(
        id="o2",
        kind="server.delete",
        action="delete",
        subject="server:s1",
        project_id="p",
        user_id="u",
        request_id=REQUEST,
        state="waiting",
        started_at=now() - datetime.timedelta(seconds=90),
    )
    db.write(lambda session: session.add_all([*agents, volume, running]))
    found = json.loads(look("status", "--json").output)
    assert [(a["agent"], a["state"]) for a in found["agents"]] == [
        ("nova-compute", "up"),
        ("ovs-agent", "down"),
        ("volume-agent", "frozen"),
    ]
    assert {(r["kind"], r["count"], r["state"]) for r in found["resources"]} == {
        ("servers", 1, "error"),
        ("volumes", 1, "available"),
    }
    (operation,) = found["operations"]
    assert (operation["operation"], operation["state"]) == ("server.delete", "waiting")
    assert operation["age"] >= 90
    shown = look("status").output
    for text in ("an older copy", "server.delete", REQUEST, "1  available"):
        assert text in shown


@pytest.mark.parametrize("name", ["s1", "web"])
def test_why(look: Look, server: str, name: str) -> None:
    shown = look("why", name).output
    for text in ("No host was found.", "ram: one", "refused by: one", "qemu ended", "place", REQUEST):
        assert text in shown
    told = json.loads(look("why", name, "--json").output)
    assert told["server"]["id"] == server
    assert told["operations"][0]["steps"][0]["result"] == "failed"


def test_why_of_nothing(look: Look) -> None:
    result = look("why", "nothing")
    assert result.exit_code == 1
    assert "there is no server 'nothing'" in result.output


def test_timeline(look: Look, server: str, tmp_path: pathlib.Path) -> None:
    """Rows are in UTC, logs in the host's time: both are put in one order."""
    local = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() - 31))
    (tmp_path / "controller-api.log").write_text(
        f"{local}.500 12 INFO controller.web.app [{REQUEST}] POST /servers 202\n"
        f"{local}.600 12 INFO controller.web.app [req-2] GET /servers 200\n"
        "Traceback (most recent call last):\n"
    )
    rows: list[dict[str, Any]] = json.loads(
        look("timeline", REQUEST, "--logs", str(tmp_path), "--json").output
    )
    assert rows[0]["where"] == "controller-api"
    assert rows[0]["what"] == "POST /servers 202"
    assert [row["what"].split(":")[0] for row in rows[1:]] == [
        "server.boot of server",
        "step place",
        "server.boot is failed",
    ]
    assert rows[1]["took"] == "2000 ms"
    assert "after" in rows[0] and rows[0]["after"] == "0 ms"
    shown = look("timeline", REQUEST, "--logs", str(tmp_path)).output
    assert "POST /servers 202" in shown and "step place: failed" in shown


def test_timeline_of_nothing(look: Look, tmp_path: pathlib.Path) -> None:
    result = look("timeline", "req-0", "--logs", str(tmp_path))
    assert result.exit_code == 1
    assert "nothing is known of req-0" in result.output
