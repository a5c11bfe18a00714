"""The ledger keeps what was received, forwards only, across a restart."""

import pathlib
import sqlite3
from typing import Any

import pytest

from contract.document import Envelope, Key, Tombstone, set_digest
from contract.report import Fault, OperationResult, Report
from runtime.reconcile.ledger import Ledger

KEY = Key("port", "1")


def envelope(revision: int, body: bytes = b"{}") -> Envelope:
    return Envelope(kind="port", id="1", version=1, digest=f"d{revision}", revision=revision, body=body)


def said(state: str = "applied", digest: str = "d1") -> Report:
    return Report(sequence=0, kind="port", id="1", digest=digest, state=state)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "ledger.db"


def test_documents_survive_a_restart_as_the_bytes_that_came(path: pathlib.Path) -> None:
    body = b'{"id":"1","field_of_a_newer_engine":5}'
    Ledger(path).store(envelope(3, body))
    assert Ledger(path).document(KEY) == envelope(3, body)


def test_an_older_document_does_not_replace_a_newer(path: pathlib.Path) -> None:
    ledger = Ledger(path)
    assert ledger.store(envelope(3))
    assert not ledger.store(envelope(2))
    assert not ledger.bury(Tombstone(kind="port", id="1", revision=2))
    assert ledger.document(KEY) == envelope(3)


def test_a_late_document_does_not_raise_the_dead(path: pathlib.Path) -> None:
    ledger = Ledger(path)
    ledger.store(envelope(3))
    ledger.bury(Tombstone(kind="port", id="1", revision=4))
    assert not ledger.store(envelope(3))
    assert ledger.tombstone(KEY) is not None
    assert ledger.store(envelope(5))
    assert ledger.tombstone(KEY) is None


def test_tombstones_count_in_the_digest_of_the_set(path: pathlib.Path) -> None:
    ledger = Ledger(path)
    ledger.store(envelope(3))
    assert ledger.digests() == {KEY: "d3"}
    ledger.bury(Tombstone(kind="port", id="1", revision=4))
    assert ledger.digests() == {KEY: "tombstone"}
    ledger.forget(KEY)
    assert ledger.digests() == {}


def test_the_digest_of_a_set_does_not_depend_on_order() -> None:
    a, b = Key("port", "1"), Key("server", "2")
    assert set_digest({a: "x", b: "y"}) == set_digest({b: "y", a: "x"})
    assert set_digest({a: "x"}) != set_digest({a: "y"})


def test_a_report_is_kept_until_it_is_acknowledged(path: pathlib.Path) -> None:
    first = Ledger(path).report(said())
    assert first is not None
    ledger = Ledger(path)
    assert ledger.unacknowledged() == (first,)
    ledger.acknowledge((first.sequence,))
    assert ledger.unacknowledged() == ()


def test_a_removal_that_was_taken_in_is_forgotten_by_the_same_commit(path: pathlib.Path) -> None:
    """A kill in between would leave an order to remove that nobody knows and nobody speaks of again."""
    ledger = Ledger(path)
    ledger.store(envelope(3))
    ledger.bury(Tombstone(kind="port", id="1", revision=4))
    report = ledger.report(said("removed"))
    assert report is not None
    ledger.acknowledge((report.sequence,))
    assert Ledger(path).keys() == []


def test_a_removal_that_was_taken_in_late_leaves_what_came_anew(path: pathlib.Path) -> None:
    ledger = Ledger(path)
    ledger.bury(Tombstone(kind="port", id="1", revision=4))
    report = ledger.report(said("removed"))
    assert report is not None
    ledger.store(envelope(5))
    ledger.acknowledge((report.sequence,))
    assert ledger.document(KEY) == envelope(5)


def test_saying_the_same_again_is_not_a_report(path: pathlib.Path) -> None:
    ledger = Ledger(path)
    assert ledger.report(said()) is not None
    assert ledger.report(said()) is None
    assert ledger.report(said("failed")) is not None


def test_sequences_grow_over_a_lost_ledger(tmp_path: pathlib.Path) -> None:
    old = Ledger(tmp_path / "old.db").report(said())
    new = Ledger(tmp_path / "new.db").report(said())
    assert old is not None and new is not None and new.sequence > old.sequence


def test_finished_operations_are_remembered_while_the_document_names_them(path: pathlib.Path) -> None:
    ledger = Ledger(path)
    ledger.finish(KEY, OperationResult(operation_id="a"))
    ledger.finish(KEY, OperationResult(operation_id="a", fault=Fault(message="a repeat changes nothing")))
    ledger.finish(KEY, OperationResult(operation_id="b"))
    ledger.forget_results(KEY, keep={"a"})
    assert Ledger(path).results(KEY) == (OperationResult(operation_id="a"),)


def test_the_file_is_for_its_owner_only(path: pathlib.Path) -> None:
    Ledger(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_copy_that_is_older_can_be_followed_after_a_new_beginning(path: pathlib.Path) -> None:
    ledger = Ledger(path)
    ledger.store(envelope(9))
    report = ledger.report(said())
    assert report is not None
    ledger.acknowledge((report.sequence,))
    assert not ledger.store(envelope(5))
    ledger.begin_anew()
    assert ledger.unacknowledged() == (report,)
    assert ledger.store(envelope(5))
    assert Ledger(path).document(KEY) == envelope(5)


def test_a_clock_that_went_back_makes_no_old_reports(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Ledger(path).report(said())
    monkeypatch.setattr("runtime.reconcile.ledger.time.time_ns", lambda: 0)
    second = Ledger(path).report(said(digest="d2"))
    assert first is not None and second is not None
    assert second.sequence > first.sequence


class FullDisk:
    """A connection of SQLite whose disk is full when it is to commit: SQLite has rolled back by then."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.in_transaction = False

    def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
        if statement != "COMMIT":
            return self._db.execute(statement, *arguments)
        self._db.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")


def test_what_a_full_disk_did_not_take_is_not_believed_either(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(path)
    ledger.store(envelope(1))
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "_db", FullDisk(ledger._db))
        with pytest.raises(sqlite3.OperationalError):
            ledger.store(envelope(2))
        with pytest.raises(sqlite3.OperationalError):
            ledger.bury(Tombstone(kind="port", id="1", revision=3))
    assert ledger.document(KEY) == envelope(1) == Ledger(path).document(KEY)
    assert ledger.digests() == {KEY: "d1"}
    assert ledger.store(envelope(2))
    assert ledger.document(KEY) == envelope(2)
