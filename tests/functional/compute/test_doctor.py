"""The doctor sees each kind of disagreement, explains it, and repairs what is safe; looking changes nothing."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from contract.calls import Finding, InspectAnswer
from contract.document import Key
from contract.topics import NOVA_COMPUTE, OVS_AGENT, VOLUME_AGENT
from controller.compute.servers.model import Server
from controller.db.columns import now
from controller.db.host_documents import HostDocument
from controller.db.session import Database
from controller.engine.doctor import Disagreement, Place, examine
from controller.operations.model import Operation
from controller.placement.model import Allocation
from tests.fakes.fake_cloud import FakeCloud
from tests.fakes.fake_host import FakeHost
from tests.functional.compute.test_servers import (
    SERVERS,
    becomes,
    create,
    nothing_is_under_way,
)
from tests.functional.conftest import Api


@pytest.fixture
def host(cloud: FakeCloud) -> FakeHost:
    return cloud.add_host("one")


@pytest.fixture
def server_id(cloud: FakeCloud, api: Api, db: Database, host: FakeHost, body: dict[str, Any]) -> str:
    found = create(api, body)
    becomes(cloud, api, found, "ACTIVE")
    cloud.until(lambda: nothing_is_under_way(db))
    return found


def look(db: Database, **more: InspectAnswer | None) -> list[Disagreement]:
    """What the doctor finds; hosts say that they have nothing, or what ``more`` says by agent."""
    hosts: dict[Place, InspectAnswer | None] = {
        (agent, "one"): InspectAnswer() for agent in (NOVA_COMPUTE, OVS_AGENT, VOLUME_AGENT)
    }
    hosts |= {(agent.replace("_", "-"), "one"): answer for agent, answer in more.items()}
    with db.read() as session:
        return examine(session, hosts)


def only(found: list[Disagreement]) -> Disagreement:
    assert len(found) == 1, [d.what for d in found]
    assert found[0].what and found[0].why
    return found[0]


def test_a_cloud_in_order_is_left_in_peace(db: Database, server_id: str) -> None:
    assert look(db) == []


def test_an_agent_that_does_not_answer(db: Database, server_id: str) -> None:
    found = only(look(db, ovs_agent=None))
    assert "ovs-agent on one does not answer" in found.what and found.repair is None


def test_an_agent_that_is_frozen_is_told_to_adopt(db: Database, server_id: str) -> None:
    found = only(look(db, nova_compute=InspectAnswer(frozen="the database went back")))
    assert found.adopt == (NOVA_COMPUTE, "one")


def test_what_a_host_lacks_is_named(db: Database, server_id: str) -> None:
    with db.read() as session:
        network_id = session.scalars(
            select(HostDocument.resource_id).where(HostDocument.kind == "network")
        ).one()
    lacks = Finding(
        kind="network", id=network_id, place="qdhcp", is_known=True, lacks="to be done: StartDnsmasq"
    )
    found = only(look(db, ovs_agent=InspectAnswer(findings=(lacks,))))
    assert "StartDnsmasq" in found.what and network_id in found.what and found.repair is None


def _lose_operation(db: Database, server_id: str) -> None:
    db.write(lambda s: s.execute(update(Server).where(Server.id == server_id).values(task="rebooting")))


def _keep_allocation(db: Database, server_id: str) -> None:
    db.write(lambda s: s.execute(update(Server).where(Server.id == server_id).values(is_deleted=True)))


@pytest.mark.parametrize(
    ("harm", "words"),
    [(_lose_operation, "(rebooting)"), (_keep_allocation, "allocation of")],
)
def test_what_can_be_repaired_is(
    db: Database, server_id: str, harm: Callable[[Database, str], None], words: str
) -> None:
    harm(db, server_id)
    found = only(look(db))
    assert words in found.what and found.remedy and found.repair is not None
    assert only(look(db)).what == found.what, "looking changed something"
    db.write(found.repair)
    assert look(db) == []


def test_a_server_without_its_allocation(db: Database, server_id: str) -> None:
    db.write(lambda s: s.execute(delete(Allocation)))
    found = only(look(db))
    assert "has no allocation" in found.what and found.repair is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"state": "failed", "fault": "no room"}, "failed: no room"),
        ({"reported_digest": "old"}, "is not applied"),
        ({"is_tombstone": True, "digest": "tombstone"}, "is to be removed"),
    ],
)
def test_a_document_that_its_host_does_not_have(
    db: Database, server_id: str, values: dict[str, Any], words: str
) -> None:
    mine = (HostDocument.kind == "server", HostDocument.resource_id == server_id)
    db.write(lambda s: s.execute(update(HostDocument).where(*mine).values(**values)))
    assert words in only(look(db)).what


def test_an_operation_that_takes_too_long(cloud: FakeCloud, db: Database, server_id: str, api: Api) -> None:
    cloud.hosts[0].is_deaf = True
    api.delete(f"{SERVERS}/{server_id}")
    long_ago = now() - datetime.timedelta(hours=1)
    db.write(lambda s: s.execute(update(Operation).values(started_at=long_ago)))
    assert [d for d in look(db) if "server.delete" in d.what]


def test_what_only_a_host_knows_goes_when_a_person_says_so(
    cloud: FakeCloud, db: Database, host: FakeHost, server_id: str
) -> None:
    """As after a restored copy of the database: the rows are gone, the domain runs."""
    key = Key("server", server_id)
    mine = (HostDocument.kind == "server", HostDocument.resource_id == server_id)
    seen = InspectAnswer(findings=(Finding(kind="server", id=server_id, place="domain", is_known=True),))
    assert look(db, nova_compute=seen) == []
    db.write(lambda s: s.execute(delete(HostDocument).where(*mine)))
    found = only(look(db, nova_compute=seen))
    assert found.repair is None and found.remove is not None
    assert key in host.held
    db.write(found.remove)
    cloud.until(lambda: host.beat() and key not in host.held)
    assert look(db) == []
