"""One suite for all that speaks as an agent: the pretended host and the real reconcile engine.

The other end is the real one, too: the engine's line over a database.
"""

import pathlib
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import msgspec
import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from contract import report as words
from contract.document import Document, Key, digest, encode
from contract.network import Network
from controller.db.agents import Agent, Host
from controller.db.columns import Base
from controller.db.host_documents import DocumentKind, HostDocument
from controller.db.mark import Mark, ensure_database_id
from controller.db.outbox import OutboxRow
from controller.db.session import Database
from controller.engine.reports import Reports
from controller.engine.sync import Line
from controller.operations.model import Operation, OperationEvent
from controller.operations.results import ImperativeResult
from runtime.reconcile.ledger import Ledger
from runtime.reconcile.loop import Loop
from runtime.reconcile.sync import Sync
from tests.fakes.fake_host import FakeHost

HOST, AGENT = "host", "ovs-agent"


class Desk:
    """What the controller wants of the host."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.mtu: dict[str, int] = {}
        kind = DocumentKind(lambda _s, i: {HOST} if i in self.mtu else set(), self._render)
        db.write(ensure_database_id)
        db.write(lambda s: s.add(Agent(id="a", host=HOST, agent=AGENT)))
        self.line = Line(db, {"network": kind}, Reports({}), lambda *_: None)

    def want(self, network_id: str, mtu: int) -> None:
        """A document is there, or changed."""
        self.mtu[network_id] = mtu
        body = encode(self._document(network_id))

        def write(session: Session) -> None:
            row = session.get(HostDocument, (HOST, "network", network_id)) or HostDocument(
                host=HOST, kind="network", resource_id=network_id, agent=AGENT
            )
            row.digest, row.revision, row.is_tombstone = digest(body), _bumped(session), False
            session.merge(row)

        self.db.write(write)

    def bury(self, network_id: str) -> None:
        """The document is to go."""
        del self.mtu[network_id]

        def write(session: Session) -> None:
            row = session.get_one(HostDocument, (HOST, "network", network_id))
            row.digest, row.revision, row.is_tombstone = "tombstone", _bumped(session), True

        self.db.write(write)

    def row(self, network_id: str) -> HostDocument | None:
        """What the controller knows of the host."""
        with self.db.read() as session:
            return session.get(HostDocument, (HOST, "network", network_id))

    def _document(self, network_id: str) -> Network:
        return Network(id=network_id, project_id="p", mtu=self.mtu[network_id])

    def _render(self, _session: Session, _host: str, network_id: str) -> Document | None:
        return self._document(network_id) if network_id in self.mtu else None


def _bumped(session: Session) -> int:
    session.execute(update(Agent).values(revision=Agent.revision + 1))
    return session.query(Agent.revision).scalar() or 0


class Subject(Protocol):
    """An agent, as this suite drives it."""

    def hint(self, network_id: str) -> None: ...
    def beat(self) -> bool: ...
    def has(self) -> dict[str, int]: ...


class Pretended:
    """The fake host."""

    def __init__(self, line: Line, _path: pathlib.Path) -> None:
        self._host = FakeHost(HOST, line)

    def hint(self, network_id: str) -> None:
        self._host.changed((AGENT, HOST), [Key("network", network_id)])

    def beat(self) -> bool:
        return self._host.beat()[1].is_in_step

    def has(self) -> dict[str, int]:
        return {k.id: msgspec.json.decode(e.body)["mtu"] for k, e in self._host.held.items()}


class Reconciling:
    """The real loop, ledger and sync, with a host of one dictionary."""

    def __init__(self, line: Line, path: pathlib.Path) -> None:
        self._line = line
        self._ledger = Ledger(path / "ledger.db")
        self._mtu: dict[str, int] = {}
        self._answers: list[words.HeartbeatAnswer] = []
        about = words.Capabilities(version="1")
        self._sync = Sync(self, AGENT, self._ledger, lambda: (about, {}))  # type: ignore[arg-type]
        self._loop = Loop(self._ledger, {"network": self}, self._sync.pull, self._sync.publish, 2)
        self._sync._poke = self._loop.poke
        self._loop.start()

    def call(self, _to: Any, method: str, request: Any, _answer: Any, timeout_s: float = 10.0) -> Any:
        """As the bus: straight to the other end, over the wire's encoding."""
        sent = msgspec.json.decode(msgspec.json.encode(request), type=type(request))
        answer = getattr(self._line, method)(sent, HOST)
        if isinstance(answer, words.HeartbeatAnswer):
            self._answers.append(answer)
        return msgspec.json.decode(msgspec.json.encode(answer), type=type(answer))

    def apply(self, document: Document) -> None:
        assert isinstance(document, Network)
        self._mtu[document.id] = document.mtu

    def remove(self, resource_id: str, _document: Document | None) -> None:
        self._mtu.pop(resource_id, None)

    def hint(self, network_id: str) -> None:
        self._loop.hint([Key("network", network_id)])
        assert self._loop.wait_idle(10)

    def beat(self) -> bool:
        self._sync._heartbeat()
        assert self._loop.wait_idle(10)
        return self._answers[-1].is_in_step

    def has(self) -> dict[str, int]:
        return dict(self._mtu)


@pytest.fixture
def desk(tmp_path: pathlib.Path) -> Iterator[Desk]:
    db = Database(f"sqlite:///{tmp_path}/desk.db")
    # what the line stands on; others that tests have imported may have keys into tables that nobody has imported
    tables = [
        kind.__table__
        for kind in (Agent, Host, HostDocument, Mark, OutboxRow, ImperativeResult, Operation, OperationEvent)
    ]
    Base.metadata.create_all(db.engine, tables=tables)
    yield Desk(db)
    db.close()


@pytest.fixture(params=[Pretended, Reconciling], ids=["pretended", "reconciling"])
def subject(request: pytest.FixtureRequest, desk: Desk, tmp_path: pathlib.Path) -> Subject:
    made: Subject = request.param(desk.line, tmp_path)
    return made


def soon(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_hint_is_pulled_applied_and_reported(desk: Desk, subject: Subject) -> None:
    desk.want("n", 1450)
    subject.hint("n")
    soon(lambda: subject.has() == {"n": 1450})
    row = desk.row("n")
    assert row is not None
    assert (row.state, row.reported_digest) == ("applied", row.digest)


def test_a_lost_hint_is_found_by_the_heartbeat(desk: Desk, subject: Subject) -> None:
    desk.want("n", 1450)
    desk.want("m", 1500)
    assert not subject.beat()
    soon(lambda: subject.has() == {"n": 1450, "m": 1500})
    assert subject.beat()


def test_a_doubled_hint_changes_nothing(desk: Desk, subject: Subject) -> None:
    desk.want("n", 1450)
    for _ in range(3):
        subject.hint("n")
    soon(lambda: subject.has() == {"n": 1450})
    assert subject.beat()


def test_a_change_is_followed(desk: Desk, subject: Subject) -> None:
    desk.want("n", 1450)
    subject.hint("n")
    desk.want("n", 1400)
    subject.hint("n")
    soon(lambda: subject.has() == {"n": 1400})
    assert subject.beat()


def test_a_tombstone_removes_and_the_order_vanishes_when_confirmed(desk: Desk, subject: Subject) -> None:
    desk.want("n", 1450)
    subject.hint("n")
    desk.bury("n")
    subject.hint("n")
    soon(lambda: subject.has() == {})
    soon(lambda: desk.row("n") is None)
    assert subject.beat()


def test_a_lost_tombstone_is_found_by_the_heartbeat(desk: Desk, subject: Subject) -> None:
    desk.want("n", 1450)
    subject.hint("n")
    desk.bury("n")
    subject.beat()
    soon(lambda: subject.has() == {})
    assert subject.beat()


def test_what_the_controller_forgot_stays(desk: Desk, subject: Subject) -> None:
    """A fresh or wrong database says "you should have nothing": nobody is harmed."""
    desk.want("n", 1450)
    subject.hint("n")
    soon(lambda: subject.has() == {"n": 1450})

    def forget(session: Session) -> None:
        session.delete(session.get_one(HostDocument, (HOST, "network", "n")))
        _bumped(session)

    desk.db.write(forget)
    subject.hint("n")
    subject.beat()
    assert subject.has() == {"n": 1450}
