"""An agent follows one database, forwards only; what is merely absent is never removed."""

import pathlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from contract import report as words
from contract.calls import Adopt
from contract.document import Envelope, Key, Tombstone
from runtime.bus import UnreachableError
from runtime.reconcile.ledger import Ledger
from runtime.reconcile.sync import Sync

KEY = Key("port", "1")


class Engine:
    """The other end of the bus: answers what a test put in, notes what was asked."""

    def __init__(self) -> None:
        self.database_id, self.revision, self.is_in_step = "db", 5, True
        self.documents: tuple[Envelope, ...] = ()
        self.tombstones: tuple[Tombstone, ...] = ()
        self.unknown: tuple[Key, ...] = ()
        self.asked: list[str] = []
        self.is_away = False
        self.meanwhile: list[Callable[[], None]] = []

    def call(self, _to: Any, method: str, request: Any, answer: type[msgspec.Struct]) -> Any:
        self.asked.append(method)
        if self.is_away:
            raise UnreachableError("away")
        head: dict[str, Any] = {"database_id": self.database_id, "revision": self.revision}
        if self.meanwhile:
            self.meanwhile.pop()()
        if method == "heartbeat":
            sequences = tuple(r.sequence for r in request.reports)
            return words.HeartbeatAnswer(**head, is_in_step=self.is_in_step, acknowledged=sequences)
        if method == "sync":
            return words.SyncAnswer(
                **head, documents=self.documents, tombstones=self.tombstones, unknown=self.unknown
            )
        if method == "pull":
            return words.PullAnswer(**head, document=next(iter(self.documents), None))
        return words.ReportAnswer(acknowledged=tuple(r.sequence for r in request.reports))

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


class Bus(Engine):
    """As the agent sees it."""

    def call(
        self, to: Any, method: str, request: Any, answer: type[msgspec.Struct], timeout_s: float = 10.0
    ) -> Any:
        return super().call(to, method, request, answer)


def describe() -> tuple[words.Capabilities, dict[str, words.Inventory]]:
    return words.Capabilities(version="1"), {}


def envelope(revision: int) -> Envelope:
    return Envelope(kind="port", id="1", version=1, digest="d", revision=revision, body=b'{"id":"1"}')


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def ledger(tmp_path: pathlib.Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")


@pytest.fixture
def sync(bus: Bus, ledger: Ledger) -> Sync:
    return Sync(bus, "ovs-agent", ledger, describe)  # type: ignore[arg-type]


def test_a_sync_brings_documents_and_tombstones(bus: Bus, ledger: Ledger, sync: Sync) -> None:
    bus.is_in_step, bus.documents = False, (envelope(5),)
    sync._heartbeat()
    assert ledger.document(KEY) == envelope(5)
    bus.revision, bus.documents, bus.tombstones = 6, (), (Tombstone(kind="port", id="1", revision=6),)
    sync._heartbeat()
    assert ledger.tombstone(KEY) is not None


def test_what_the_database_does_not_know_is_left_alone(bus: Bus, ledger: Ledger, sync: Sync) -> None:
    ledger.store(envelope(3))
    bus.is_in_step, bus.unknown = False, (KEY,)
    sync._heartbeat()
    assert ledger.document(KEY) == envelope(3)
    assert ledger.tombstone(KEY) is None


@pytest.mark.parametrize(("database_id", "revision"), [("another", 9), ("db", 4)])
def test_another_or_older_database_is_not_believed(
    bus: Bus, ledger: Ledger, sync: Sync, database_id: str, revision: int
) -> None:
    ledger.store(envelope(5))
    sync._heartbeat()
    bus.database_id, bus.revision = database_id, revision
    bus.is_in_step, bus.tombstones = False, (Tombstone(kind="port", id="1", revision=9),)
    sync._heartbeat()
    sync.pull(KEY)
    assert sync.frozen
    assert ledger.tombstone(KEY) is None
    assert Sync(bus, "ovs-agent", ledger, describe).frozen  # type: ignore[arg-type]


def test_an_answer_that_was_overtaken_is_no_step_back(bus: Bus, ledger: Ledger, sync: Sync) -> None:
    """Answers to calls side by side come in any order: the one asked for first may come last."""
    sync._heartbeat()

    def overtake() -> None:
        bus.revision, bus.documents = 6, (envelope(6),)
        sync.pull(KEY)

    bus.meanwhile = [overtake]
    sync._heartbeat()
    assert not sync.frozen
    assert ledger.document(KEY) == envelope(6)
    assert ledger.mark("revision") == "6"


def test_a_frozen_agent_goes_on_when_it_is_told_to_adopt(bus: Bus, ledger: Ledger, sync: Sync) -> None:
    sync._heartbeat()
    ledger.store(envelope(5))
    bus.revision = 1
    sync._heartbeat()
    assert sync.frozen
    sync.adopt(Adopt(database_id="db", revision=1), "host")
    bus.is_in_step, bus.documents = False, (envelope(1),)
    sync._heartbeat()
    assert not sync.frozen
    assert ledger.document(KEY) == envelope(1)


def test_a_report_that_was_lost_goes_with_the_next_heartbeat(bus: Bus, ledger: Ledger, sync: Sync) -> None:
    report = ledger.report(words.Report(sequence=0, kind="port", id="1", digest="d", state="applied"))
    assert report is not None
    bus.is_away = True
    sync.publish(report)
    assert ledger.unacknowledged() == (report,)
    bus.is_away = False
    sync._heartbeat()
    assert ledger.unacknowledged() == ()


def test_a_removal_is_forgotten_only_when_it_was_taken_in(bus: Bus, ledger: Ledger, sync: Sync) -> None:
    ledger.store(envelope(3))
    ledger.bury(Tombstone(kind="port", id="1", revision=4))
    report = ledger.report(words.Report(sequence=0, kind="port", id="1", digest="", state="removed"))
    assert report is not None
    assert ledger.keys() == [KEY]
    sync.publish(report)
    assert ledger.keys() == []


@pytest.mark.parametrize("is_pulled", [False, True])
def test_what_was_removed_while_it_was_asked_for_does_not_come_back(
    bus: Bus, ledger: Ledger, sync: Sync, is_pulled: bool
) -> None:
    """The answer was true when it was written; by now the removal is done, and forgotten."""
    ledger.store(envelope(3))

    def overtake() -> None:
        ledger.bury(Tombstone(kind="port", id="1", revision=5))
        report = ledger.report(words.Report(sequence=0, kind="port", id="1", digest="", state="removed"))
        assert report is not None
        sync.publish(report)
        assert ledger.keys() == []

    bus.documents, bus.meanwhile = (envelope(4),), [overtake]
    if is_pulled:
        sync.pull(KEY)
    else:
        sync._sync()
    assert ledger.keys() == []
    bus.documents = (envelope(6),)
    sync.pull(KEY)
    assert ledger.document(KEY) == envelope(6)
