"""A storage host that is only pretended: it takes documents and reports as volume-agent does, in memory.

``Engine`` is what runs beside an API: outbox, runner and the intake of reports, with pretended hosts in
place of the bus.
"""

import queue
import threading
from collections.abc import Sequence
from typing import Literal

import msgspec
from sqlalchemy import update

from contract.document import Document, Key, digest, encode
from contract.export import Export, ExportObserved
from contract.report import Fault, Report
from contract.volume import Volume, VolumeObserved
from controller.db.agents import Agent
from controller.db.columns import new_uuid, now
from controller.db.host_documents import Dependents, DocumentKind, HostDocument
from controller.db.session import Database
from controller.engine.outbox import Outbox
from controller.engine.reports import Reports
from controller.operations.runner import Runner
from controller.operations.step import Definition
from controller.volume import documents, observe, operations

_GIB = 1 << 30
Place = tuple[str, str]


#: Stands for documents of servers where there is no compute service.
_NOWHERE = DocumentKind(lambda _session, _id: set(), lambda _session, _host, _id: None)


class FakeVolumeHost:
    """One host. ``refuses`` maps a kind of document to the fault with which it is given up;
    ``is_silent`` makes it take hints and say nothing."""

    def __init__(self, db: Database, reports: Reports, name: str = "store1", backend: str = "lvm") -> None:
        self.name = name
        self.backend = backend
        self.volumes: dict[str, Volume] = {}
        self.exports: dict[str, Export] = {}
        self.refuses: dict[str, str] = {}
        self.is_silent = False
        self._db = db
        self._reports = reports
        self._sequence = 0
        self._hints: queue.Queue[Key | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def beat(self, free_gib: int = 500) -> None:
        """Is heard, with so much space."""
        known = {
            "backend": self.backend,
            "free_gib": free_gib,
            "total_gib": 1000,
            "storage_protocol": "iSCSI",
        }

        def note(session: object) -> None:
            taken = session.execute(  # type: ignore[attr-defined]
                update(Agent)
                .where(Agent.host == self.name, Agent.agent == "volume-agent")
                .values(last_seen_at=now(), capabilities=known)
            )
            if not taken.rowcount:
                session.add(  # type: ignore[attr-defined]
                    Agent(
                        id=new_uuid(),
                        host=self.name,
                        agent="volume-agent",
                        capabilities=known,
                        last_seen_at=now(),
                    )
                )

        self._db.write(note)

    def hint(self, keys: Sequence[Key]) -> None:
        """These documents changed."""
        for key in keys:
            self._hints.put(key)

    def speak(self) -> None:
        """Ends the silence: all documents are looked at again."""
        self.is_silent = False
        with self._db.read() as session:
            rows = session.query(HostDocument).filter(HostDocument.host == self.name).all()
            self.hint([Key(r.kind, r.resource_id) for r in rows])

    def stop(self) -> None:
        """Ends."""
        self._hints.put(None)
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while (key := self._hints.get()) is not None:
            if not self.is_silent:
                self._take(key)

    def _take(self, key: Key) -> None:
        with self._db.read() as session:
            row = session.get(HostDocument, (self.name, key.kind, key.id))
            if row is None:
                return
            is_tombstone = row.is_tombstone
            document = (
                None if is_tombstone else documents.DOCUMENTS[key.kind].render(session, self.name, key.id)
            )
        if is_tombstone:
            self.volumes.pop(key.id, None)
            self.exports.pop(key.id, None)
            self._report(key, "removed", "", b"null")
        elif document is not None:
            self._apply(key, document)

    def _apply(self, key: Key, document: Document) -> None:
        found = digest(encode(document))
        if key.kind in self.refuses:
            self._report(key, "failed", found, b"null", Fault(message=self.refuses[key.kind]))
        elif isinstance(document, Volume):
            self.volumes[key.id] = document
            seen = VolumeObserved(state="available", size_bytes=document.size_gib * _GIB)
            self._report(key, "applied", found, msgspec.json.encode(seen))
        elif isinstance(document, Export):
            self.exports[key.id] = document
            shown = ExportObserved(is_exported=True, portal="192.0.2.1:3260", lun=1)
            self._report(key, "applied", found, msgspec.json.encode(shown))

    def _report(
        self,
        key: Key,
        state: Literal["applied", "retrying", "failed", "removed"],
        found: str,
        observed: bytes,
        fault: Fault | None = None,
    ) -> None:
        self._sequence += 1
        report = Report(
            sequence=self._sequence,
            kind=key.kind,
            id=key.id,
            digest=found,
            state=state,
            observed=observed,
            fault=fault,
        )
        self._reports.take(self._db, self.name, (report,))


class Engine:
    """The engine's parts on one database, with pretended storage hosts.

    ``more`` are documents, dependents and definitions of other services, for tests that need them.
    """

    def __init__(
        self,
        db: Database,
        more_documents: dict[str, DocumentKind] | None = None,
        more_dependents: dict[str, Dependents] | None = None,
        more_definitions: Sequence[Definition] = (),
    ) -> None:
        self.db = db
        self.hosts: dict[str, FakeVolumeHost] = {}
        observers = {"volume": observe.observe_volume, "export": observe.observe_export}
        self.reports = Reports(observers)
        self.outbox = Outbox(
            db,
            {"server": _NOWHERE, **documents.DOCUMENTS, **(more_documents or {})},
            {**documents.DEPENDENTS, **(more_dependents or {})},
            self._hint,
        )
        definitions = {d.kind: d for d in (*operations.DEFINITIONS, *more_definitions)}
        self.runner = Runner(db, definitions, self.wake, workers=2)
        db.on_hint = self.wake

    def host(self, name: str = "store1", backend: str = "lvm", free_gib: int = 500) -> FakeVolumeHost:
        """Adds a host that is heard."""
        made = self.hosts[name] = FakeVolumeHost(self.db, self.reports, name, backend)
        made.beat(free_gib)
        return made

    def start(self) -> None:
        """Starts the threads."""
        self.outbox.start()
        self.runner.start()

    def stop(self) -> None:
        """Stops all of them."""
        self.db.on_hint = lambda: None
        self.runner.stop()
        self.outbox.stop()
        for host in self.hosts.values():
            host.stop()

    def wake(self) -> None:
        """Something was written."""
        self.outbox.wake()
        self.runner.wake()

    def _hint(self, place: Place, keys: Sequence[Key]) -> None:
        if place[1] in self.hosts:
            self.hosts[place[1]].hint(keys)
