"""What this host should be, on disk: documents as received, tombstones, finished operations, reports.

SQLite in WAL mode: a killed process loses nothing that was committed; what a power cut may lose is
pulled again.
"""

import contextlib
import pathlib
import sqlite3
import threading
import time
from collections.abc import Collection, Iterable, Iterator

import msgspec

from contract.document import Envelope, Key, Tombstone
from contract.report import OperationResult, Report

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (kind TEXT, id TEXT, version INT, digest TEXT, revision INT, body BLOB,
                                      PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS tombstones (kind TEXT, id TEXT, revision INT, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS reports (kind TEXT, id TEXT, sequence INT, body BLOB, is_acknowledged INT,
                                    PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS operations (id TEXT PRIMARY KEY, kind TEXT, resource_id TEXT, body BLOB);
CREATE TABLE IF NOT EXISTS notes (kind TEXT, id TEXT, body BLOB, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, value TEXT);
"""


class Ledger:
    """Thread-safe. Documents are cached in memory, as they are read far more often than written."""

    def __init__(self, path: pathlib.Path) -> None:
        self._lock = threading.RLock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self._cache()
        self._asking: list[set[Key]] = []
        # a clock that went back must not make new reports older than those already taken in
        self._sequence = int(self._db.execute("SELECT ifnull(max(sequence), 0) FROM reports").fetchone()[0])

    # --- desired state

    def document(self, key: Key) -> Envelope | None:
        """The document as received, None if there is none."""
        return self._documents.get(key)

    def documents(self, kind: str) -> list[Envelope]:
        """All documents of a kind."""
        with self._lock:
            return [e for k, e in self._documents.items() if k.kind == kind]

    def tombstone(self, key: Key) -> Tombstone | None:
        """The order to remove, None if there is none."""
        return self._tombstones.get(key)

    def keys(self) -> list[Key]:
        """Everything that this ledger knows of, documents and tombstones."""
        with self._lock:
            return sorted({*self._documents, *self._tombstones})

    def digests(self) -> dict[Key, str]:
        """The digest of each document; one that is to be removed counts as ``tombstone``."""
        with self._lock:
            held = {k: e.digest for k, e in self._documents.items() if k not in self._tombstones}
            return held | dict.fromkeys(self._tombstones, "tombstone")

    def store(self, envelope: Envelope) -> bool:
        """Takes a document in, unless a newer word on its key is here. Tells whether it did."""
        key = envelope.key
        with self._transaction():
            if self._newest(key) > envelope.revision:
                return False
            self._db.execute(
                "REPLACE INTO documents VALUES (?,?,?,?,?,?)",
                (
                    envelope.kind,
                    envelope.id,
                    envelope.version,
                    envelope.digest,
                    envelope.revision,
                    envelope.body,
                ),
            )
            self._db.execute("DELETE FROM tombstones WHERE kind=? AND id=?", (key.kind, key.id))
            self._documents[key] = envelope
            self._tombstones.pop(key, None)
        return True

    def bury(self, tombstone: Tombstone) -> bool:
        """Takes the order to remove in, unless a newer word is here. Tells whether it did."""
        key = tombstone.key
        with self._transaction():
            if self._newest(key) > tombstone.revision:
                return False
            self._db.execute("REPLACE INTO tombstones VALUES (?,?,?)", (key.kind, key.id, tombstone.revision))
            self._tombstones[key] = tombstone
        return True

    @contextlib.contextmanager
    def asking(self) -> Iterator[set[Key]]:
        """While the controller is asked for documents; gives the keys that are forgotten meanwhile.

        The answer may say of those what was so before their removal, and there is nothing left here that
        would tell that it is old.
        """
        forgotten: set[Key] = set()
        with self._lock:
            self._asking.append(forgotten)
        try:
            yield forgotten
        finally:
            with self._lock:
                self._asking = [other for other in self._asking if other is not forgotten]

    def take_in(
        self, documents: Iterable[Envelope], tombstones: Iterable[Tombstone], forgotten: Collection[Key]
    ) -> list[Key]:
        """Takes in an answer, all by one commit; the keys of what was news. See ``asking``."""
        with self._transaction():
            news = [d.key for d in documents if d.key not in forgotten and self.store(d)]
            return news + [t.key for t in tombstones if t.key not in forgotten and self.bury(t)]

    def forget(self, key: Key) -> None:
        """Drops all about a key, after the controller took in that it is removed."""
        with self._transaction():
            for forgotten in self._asking:
                forgotten.add(key)
            for table in ("documents", "tombstones", "reports", "notes"):
                self._db.execute(f"DELETE FROM {table} WHERE kind=? AND id=?", (key.kind, key.id))
            self._db.execute("DELETE FROM operations WHERE kind=? AND resource_id=?", (key.kind, key.id))
            self._documents.pop(key, None)
            self._tombstones.pop(key, None)

    # --- which database we follow

    def mark(self, name: str) -> str:
        """A remembered word such as ``database_id``; empty when there is none."""
        with self._lock:
            row = self._db.execute("SELECT value FROM mark WHERE name=?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def set_mark(self, name: str, value: str) -> None:
        """Remembers a word."""
        with self._transaction():
            self._db.execute("REPLACE INTO mark VALUES (?,?)", (name, value))

    def begin_anew(self) -> None:
        """For another database, or an older copy of the one that was followed: whatever it says of a key
        counts as newer than what is here, and everything that is so is told it once more."""
        with self._transaction():
            self._db.execute("UPDATE documents SET revision=0")
            self._db.execute("UPDATE tombstones SET revision=0")
            self._db.execute("UPDATE reports SET is_acknowledged=0")
            self._cache()

    # --- what was done

    def finish(self, key: Key, result: OperationResult) -> None:
        """Remembers that an imperative was carried out, so that it is never repeated."""
        with self._transaction():
            self._db.execute(
                "INSERT OR IGNORE INTO operations VALUES (?,?,?,?)",
                (result.operation_id, key.kind, key.id, msgspec.json.encode(result)),
            )

    def results(self, key: Key) -> tuple[OperationResult, ...]:
        """Results of all imperatives of a resource that are still remembered."""
        with self._lock:
            rows = self._db.execute(
                "SELECT body FROM operations WHERE kind=? AND resource_id=?", (key.kind, key.id)
            ).fetchall()
        return tuple(msgspec.json.decode(row[0], type=OperationResult) for row in rows)

    def forget_results(self, key: Key, keep: set[str]) -> None:
        """Drops results of operations that the document no longer names."""
        with self._transaction():
            for result in self.results(key):
                if result.operation_id not in keep:
                    self._db.execute("DELETE FROM operations WHERE id=?", (result.operation_id,))

    def note(self, key: Key) -> bytes | None:
        """What the agent itself noted about a resource, None if nothing."""
        with self._lock:
            row = self._db.execute(
                "SELECT body FROM notes WHERE kind=? AND id=?", (key.kind, key.id)
            ).fetchone()
        return bytes(row[0]) if row else None

    def set_note(self, key: Key, body: bytes | None) -> None:
        """Notes something local about a resource; None takes the note away."""
        with self._transaction():
            if body is None:
                self._db.execute("DELETE FROM notes WHERE kind=? AND id=?", (key.kind, key.id))
            else:
                self._db.execute("REPLACE INTO notes VALUES (?,?,?)", (key.kind, key.id, body))

    # --- what is to be said

    def report(self, report: Report) -> Report | None:
        """Keeps a report until acknowledged, with its sequence; None if it says nothing new."""
        with self._transaction():
            last = self._db.execute(
                "SELECT body FROM reports WHERE kind=? AND id=?", (report.kind, report.id)
            ).fetchone()
            if last is not None:
                previous = msgspec.json.decode(last[0], type=Report)
                if msgspec.structs.replace(report, sequence=previous.sequence) == previous:
                    return None
            self._sequence = max(self._sequence + 1, time.time_ns() // 1000)
            numbered = msgspec.structs.replace(report, sequence=self._sequence)
            self._db.execute(
                "REPLACE INTO reports VALUES (?,?,?,?,0)",
                (report.kind, report.id, numbered.sequence, msgspec.json.encode(numbered)),
            )
        return numbered

    def unacknowledged(self) -> tuple[Report, ...]:
        """Reports that the controller has not confirmed, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT body FROM reports WHERE is_acknowledged=0 ORDER BY sequence"
            ).fetchall()
        return tuple(msgspec.json.decode(row[0], type=Report) for row in rows)

    def acknowledge(self, sequences: tuple[int, ...]) -> None:
        """Marks reports as taken in. What was removed is forgotten by the same commit: nobody would say
        again that it may be."""
        with self._transaction():
            for sequence in sequences:
                row = self._db.execute("SELECT body FROM reports WHERE sequence=?", (sequence,)).fetchone()
                if row is None:
                    continue
                self._db.execute("UPDATE reports SET is_acknowledged=1 WHERE sequence=?", (sequence,))
                report = msgspec.json.decode(row[0], type=Report)
                if report.state == "removed" and report.key in self._tombstones:
                    self.forget(report.key)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    def _newest(self, key: Key) -> int:
        words = (self._documents.get(key), self._tombstones.get(key))
        return max((w.revision for w in words if w is not None), default=-1)

    def _read_documents(self) -> list[Envelope]:
        rows = self._db.execute("SELECT kind, id, version, digest, revision, body FROM documents")
        return [Envelope(kind=k, id=i, version=v, digest=d, revision=r, body=b) for k, i, v, d, r, b in rows]

    def _read_tombstones(self) -> list[Tombstone]:
        rows = self._db.execute("SELECT kind, id, revision FROM tombstones")
        return [Tombstone(kind=k, id=i, revision=r) for k, i, r in rows]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        """Forgets what was not written. A full disk makes SQLite roll back by itself, even at the commit."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._cache()

    def _cache(self) -> None:
        self._documents = {e.key: e for e in self._read_documents()}
        self._tombstones = {t.key: t for t in self._read_tombstones()}
