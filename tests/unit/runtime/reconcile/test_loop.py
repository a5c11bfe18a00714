"""One queue a resource: order within a key, merging, retries, and that one bad resource stops nobody."""

import pathlib
import sqlite3
import threading
import time
from collections.abc import Iterator

import msgspec
import pytest

from contract.document import Document, Envelope, Key, Tombstone, encode
from contract.port import Port, PortObserved
from contract.report import Fault, Report
from runtime.reconcile import loop as loops
from runtime.reconcile.ledger import Ledger
from runtime.reconcile.loop import Loop
from runtime.reconcile.outcome import Failed, Retry


def port(name: str) -> Port:
    return Port(id=name, network_id="n", project_id="p", mac_address="m", device_id="d", device_owner="o")


def envelope(name: str, revision: int = 1, version: int = 1) -> Envelope:
    return Envelope(
        kind="port",
        id=name,
        version=version,
        digest=f"{name}-{revision}",
        revision=revision,
        body=encode(port(name)),
    )


class Handler:
    """Notes calls; ``then`` are exceptions to raise for an id, in order."""

    def __init__(self) -> None:
        self.applied: list[str] = []
        self.removed: list[str] = []
        self.then: dict[str, list[Exception]] = {}
        self.gate = threading.Event()
        self.gate.set()
        self.busy: dict[str, int] = {}
        self.most: dict[str, int] = {}

    def apply(self, document: Document) -> msgspec.Struct | None:
        self.busy[document.id] = self.busy.get(document.id, 0) + 1
        self.most[document.id] = max(self.most.get(document.id, 0), self.busy[document.id])
        self.gate.wait(5)
        self.applied.append(document.id)
        self.busy[document.id] -= 1
        if self.then.get(document.id):
            raise self.then[document.id].pop(0)
        return PortObserved(is_wired=True)

    def remove(self, resource_id: str, document: Document | None) -> None:
        self.removed.append(resource_id)


class Stage:
    """A loop with all around it."""

    def __init__(self, path: pathlib.Path) -> None:
        self.ledger = Ledger(path)
        self.handler = Handler()
        self.reports: list[Report] = []
        self.pulled: list[Key] = []
        self.loop = Loop(self.ledger, {"port": self.handler}, self.pulled.append, self.reports.append, 3)

    def until(self, what: str, count: int) -> None:
        deadline = time.monotonic() + 10
        while getattr(self.handler, what).__len__() < count and time.monotonic() < deadline:
            time.sleep(0.005)
        assert self.loop.wait_idle(10)


@pytest.fixture
def stage(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(loops, "FIRST_BACKOFF_S", 0.05)
    found = Stage(tmp_path / "ledger.db")
    found.loop.start()
    yield found
    found.handler.gate.set()
    found.loop.stop()


def states(stage: Stage) -> list[str]:
    return [r.state for r in stage.reports]


def test_a_hint_pulls_then_applies_then_reports(stage: Stage) -> None:
    stage.ledger.store(envelope("a"))
    stage.loop.hint([Key("port", "a")])
    stage.until("applied", 1)
    assert stage.pulled == [Key("port", "a")]
    report = stage.reports[0]
    assert (report.state, report.digest) == ("applied", "a-1")
    assert msgspec.json.decode(report.observed, type=PortObserved).is_wired


def test_words_about_one_key_are_merged_and_never_overlap(stage: Stage) -> None:
    stage.ledger.store(envelope("a"))
    stage.handler.gate.clear()
    for _ in range(50):
        stage.loop.poke([Key("port", "a")])
    stage.handler.gate.set()
    stage.until("applied", 1)
    assert 1 <= len(stage.handler.applied) <= 2
    assert stage.handler.most["a"] == 1


def test_one_bad_resource_stops_nobody(stage: Stage) -> None:
    for name in "abc":
        stage.ledger.store(envelope(name))
    stage.handler.then = {"a": [RuntimeError("a bug")] * 3}
    stage.loop.poke([Key("port", n) for n in "abc"])
    stage.until("applied", 6)
    assert {"b", "c"} <= set(stage.handler.applied)
    assert "retrying" in states(stage)


def test_an_unexpected_error_is_tried_again_and_heals(stage: Stage) -> None:
    stage.ledger.store(envelope("a"))
    stage.handler.then = {"a": [RuntimeError("a bug")]}
    stage.loop.poke([Key("port", "a")])
    stage.until("applied", 2)
    assert states(stage) == ["retrying", "applied"]


def test_retry_comes_back_by_itself(stage: Stage) -> None:
    stage.ledger.store(envelope("a"))
    stage.handler.then = {"a": [Retry(0.05)]}
    stage.loop.poke([Key("port", "a")])
    stage.until("applied", 2)
    assert states(stage) == ["applied"]


def test_failed_is_told_and_not_tried_again(stage: Stage) -> None:
    stage.ledger.store(envelope("a"))
    stage.handler.then = {"a": [Failed(Fault(message="no room"))]}
    stage.loop.poke([Key("port", "a")])
    stage.until("applied", 1)
    assert [(r.state, r.fault and r.fault.message) for r in stage.reports] == [("failed", "no room")]


def test_only_a_tombstone_removes(stage: Stage) -> None:
    stage.loop.hint([Key("port", "a")])
    assert stage.loop.wait_idle(5)
    assert not stage.handler.removed
    stage.ledger.store(envelope("a"))
    stage.ledger.bury(Tombstone(kind="port", id="a", revision=2))
    stage.loop.poke([Key("port", "a")])
    stage.until("removed", 1)
    assert states(stage) == ["removed"]


def test_a_document_of_a_newer_version_is_refused_with_a_remedy(stage: Stage) -> None:
    stage.ledger.store(envelope("a", version=99))
    stage.loop.poke([Key("port", "a")])
    deadline = time.monotonic() + 5
    while not stage.reports and time.monotonic() < deadline:
        time.sleep(0.005)
    assert not stage.handler.applied
    assert stage.reports[0].fault is not None
    assert "upgrade the agent" in stage.reports[0].fault.message


def test_a_full_disk_ends_no_worker(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that cannot be written may fail at any word; when there is room again all goes on."""

    def full(_report: Report) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(stage.ledger, "report", full)
        names = [str(number) for number in range(20)]
        for name in names:
            stage.ledger.store(envelope(name))
        stage.loop.poke([Key("port", name) for name in names])
        stage.until("applied", len(names))
    stage.ledger.store(envelope("after"))
    stage.loop.poke([Key("port", "after")])
    stage.until("applied", len(names) + 1)
    assert [r.id for r in stage.reports if r.id == "after"]


def test_the_end_waits_for_work_on_the_host(stage: Stage) -> None:
    stage.handler.gate.clear()
    stage.ledger.store(envelope("a"))
    stage.loop.poke([Key("port", "a")])
    while not stage.handler.busy:
        time.sleep(0.005)
    threading.Timer(0.05, stage.handler.gate.set).start()
    stage.loop.stop()
    assert stage.handler.applied == ["a"]
    assert [r.id for r in stage.ledger.unacknowledged()] == ["a"]


@pytest.mark.parametrize("call", ["pull", "publish"])
def test_the_end_does_not_wait_for_the_controller(tmp_path: pathlib.Path, call: str) -> None:
    """Nothing that a call under way would bring is lost: the ledger keeps reports, documents are pulled again."""
    called, gate = threading.Event(), threading.Event()

    def hang(_what: object) -> None:
        called.set()
        gate.wait(30)

    ledger, handler = Ledger(tmp_path / "ledger.db"), Handler()
    pull, publish = (hang, print) if call == "pull" else (print, hang)
    loop = Loop(ledger, {"port": handler}, pull, publish, 1)
    ledger.store(envelope("a"))
    loop.start()
    loop.hint([Key("port", "a")])
    assert called.wait(10)
    loop.stop(timeout_s=30)
    assert not gate.is_set(), "it returned while the call still hangs"
    gate.set()
    assert handler.applied == (["a"] if call == "publish" else [])
    assert [r.id for r in ledger.unacknowledged()] == handler.applied
