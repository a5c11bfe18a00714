"""What goes wrong around operations: silent hosts, words that cannot be told, ends that fail."""

import datetime
import time
from typing import Any

from sqlalchemy import insert, select, update

from contract.document import Key
from controller.compute.servers.operations import dead_hosts
from controller.db.agents import Agent
from controller.db.columns import now
from controller.db.outbox import OutboxRow
from controller.db.session import Database
from tests.fakes.fake_cloud import FakeCloud
from tests.functional.compute.test_servers import SERVERS, becomes, create, is_gone, show
from tests.functional.conftest import Api


def silence(db: Database) -> None:
    """Nobody was heard for a while: as an engine finds it that was away itself."""
    long_ago = now() - datetime.timedelta(minutes=5)
    db.write(lambda s: s.execute(update(Agent).values(last_seen_at=long_ago)))


def test_a_silent_host_is_given_the_time_to_speak(
    cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any]
) -> None:
    host = cloud.add_host("one")
    silence(db)
    server_id = create(api, body)
    cloud.until(lambda: show(api, server_id)["OS-EXT-STS:task_state"] == "scheduling")
    host.beat()
    becomes(cloud, api, server_id, "ACTIVE")


def test_a_silent_storage_host_is_given_the_time_to_speak(cloud: FakeCloud, api: Api, db: Database) -> None:
    host = cloud.add_host("one")
    silence(db)
    made = api.post("/volume/v3/volumes", {"volume": {"size": 1, "name": "v"}}).json["volume"]
    host.beat()
    look = lambda: api.get(f"/volume/v3/volumes/{made['id']}").json["volume"]["status"]  # noqa: E731
    cloud.until(lambda: look() == "available")


def test_a_host_that_is_silent_for_a_moment_is_waited_for_by_delete(
    cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any]
) -> None:
    host = cloud.add_host("one")
    server_id = create(api, body)
    becomes(cloud, api, server_id, "ACTIVE")
    host.is_deaf = True
    silence(db)
    api.delete(f"{SERVERS}/{server_id}")
    time.sleep(1)
    assert show(api, server_id) is not None
    cloud.until(lambda: host.beat() and show(api, server_id) is None)
    assert Key("server", server_id) in host.removed


def test_a_dead_host_does_not_keep_its_servers_from_being_deleted(
    cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any], monkeypatch: Any
) -> None:
    monkeypatch.setattr(dead_hosts, "SILENCE_S", 0.5)
    monkeypatch.setattr(dead_hosts, "LISTEN_AGAIN_S", 0.2)
    host = cloud.add_host("one")
    server_id = create(api, body)
    becomes(cloud, api, server_id, "ACTIVE")
    host.is_deaf = True
    silence(db)
    api.delete(f"{SERVERS}/{server_id}")
    is_gone(cloud, api, server_id)
    host.is_deaf = False
    cloud.until(lambda: host.beat() and not host.held)


def test_a_word_that_cannot_be_told_keeps_no_other_from_being_told(
    cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any]
) -> None:
    poison = {"kind": "nonsense", "resource_id": "1", "request_id": "", "created_at": now()}
    db.write(lambda s: s.execute(insert(OutboxRow), [poison]))
    cloud.add_host("one")
    becomes(cloud, api, create(api, body), "ACTIVE")

    def left() -> list[str]:
        with db.read() as session:
            return list(session.scalars(select(OutboxRow.kind)))

    cloud.until(lambda: left() == ["nonsense"])
