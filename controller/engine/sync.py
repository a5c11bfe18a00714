"""The engine's side of an agent's line: heartbeat, sync and pull. The host is taken from the signature."""

import logging
import threading
from collections.abc import Callable, Mapping

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from contract import report as words
from contract.document import Document, Envelope, Key, Tombstone, digest, encode, set_digest
from controller.db.agents import Agent
from controller.db.columns import new_uuid, now
from controller.db.host_documents import DocumentKind, HostDocument
from controller.db.mark import database_id
from controller.db.session import Database
from controller.engine.reports import Reports

LOG = logging.getLogger(__name__)

#: (session, agent as its last heartbeat left it, heartbeat): what slices do about a host that lives.
Enlist = Callable[[Session, Agent, words.Heartbeat], None]


class Line:
    """Methods that agents call."""

    def __init__(
        self, db: Database, documents: Mapping[str, DocumentKind], reports: Reports, enlist: Enlist
    ) -> None:
        self._db = db
        self._documents = documents
        self._reports = reports
        self._enlist = enlist
        self._lock = threading.Lock()
        self._set_digests: dict[tuple[str, str], tuple[int, str]] = {}
        with db.read() as session:
            self._database_id = database_id(session)

    def heartbeat(self, request: words.Heartbeat, host: str) -> words.HeartbeatAnswer:
        """An agent lives; is its set of documents the one it should have?"""

        def take(session: Session) -> None:
            agent = _agent(session, host, request.agent)
            self._enlist(session, agent, request)
            _note(agent, request)

        self._db.write(take)
        taken = self._reports.take(self._db, host, request.reports)
        with self._db.read() as session:
            revision = self._revision(session, host, request.agent)
            expected = self._expected(session, (host, request.agent), revision)
        return words.HeartbeatAnswer(
            database_id=self._database_id,
            revision=revision,
            acknowledged=taken,
            is_in_step=expected == request.set_digest,
        )

    def report(self, request: words.Reports, host: str) -> words.ReportAnswer:
        """Something was applied, observed, or failed."""
        taken = self._reports.take(self._db, host, request.reports)
        return words.ReportAnswer(acknowledged=taken)

    def pull(self, request: words.Pull, host: str) -> words.PullAnswer:
        """One document as it is now."""
        key = Key(request.kind, request.id)
        with self._db.read() as session:
            row = session.get(HostDocument, (host, key.kind, key.id))
            document, tombstone = self._current(session, row)
            revision = self._revision(session, host, request.agent)
        return words.PullAnswer(
            database_id=self._database_id, revision=revision, document=document, tombstone=tombstone
        )

    def sync(self, request: words.Sync, host: str) -> words.SyncAnswer:
        """All that differs from what the agent holds, and what the database knows nothing of."""
        held = {Key(kind, i): d for kind, i, d in request.digests}
        documents, tombstones = [], []
        with self._db.read() as session:
            revision = self._revision(session, host, request.agent)
            rows = session.scalars(
                select(HostDocument).where(HostDocument.host == host, HostDocument.agent == request.agent)
            ).all()
            for row in rows:
                if held.pop(Key(row.kind, row.resource_id), None) == row.digest:
                    continue
                document, tombstone = self._current(session, row)
                documents += [document] if document else []
                tombstones += [tombstone] if tombstone else []
        return words.SyncAnswer(
            database_id=self._database_id,
            revision=revision,
            documents=tuple(documents),
            tombstones=tuple(tombstones),
            unknown=tuple(held),
        )

    def _current(
        self, session: Session, row: HostDocument | None
    ) -> tuple[Envelope | None, Tombstone | None]:
        if row is None:
            return None, None
        if row.is_tombstone:
            return None, Tombstone(kind=row.kind, id=row.resource_id, revision=row.revision)
        document = self._documents[row.kind].render(session, row.host, row.resource_id)
        return (_envelope(row, document), None) if document is not None else (None, None)

    def _revision(self, session: Session, host: str, agent: str) -> int:
        return session.scalar(select(Agent.revision).where(Agent.host == host, Agent.agent == agent)) or 0

    def _expected(self, session: Session, place: tuple[str, str], revision: int) -> str:
        """The digest of the set that an agent should hold; remembered while its revision stays."""
        with self._lock:
            known = self._set_digests.get(place)
            if known is not None and known[0] > revision:
                # the database went back: what comes at this revision is not what came at it before
                self._set_digests.clear()
        if known is not None and known[0] == revision:
            return known[1]
        rows = session.execute(
            select(HostDocument.kind, HostDocument.resource_id, HostDocument.digest).where(
                HostDocument.host == place[0], HostDocument.agent == place[1]
            )
        )
        found = set_digest({Key(kind, i): d for kind, i, d in rows})
        if self._revision(session, *place) == revision:
            with self._lock:
                self._set_digests[place] = (revision, found)
        return found


def _agent(session: Session, host: str, name: str) -> Agent:
    """The agent's row, locked by writing to it first."""
    touched = session.execute(
        update(Agent).where(Agent.host == host, Agent.agent == name).values(last_seen_at=now())
    )
    if touched.rowcount != 1:  # type: ignore[attr-defined]
        agent_id = new_uuid()
        # the small id of old microversions comes of the long one: nobody has to count
        number = int(agent_id[:7], 16) + 1
        session.add(Agent(id=agent_id, host=host, agent=name, number=number, last_seen_at=now()))
        session.flush()
    return session.scalars(select(Agent).where(Agent.host == host, Agent.agent == name)).one()


def _note(agent: Agent, request: words.Heartbeat) -> None:
    capabilities = msgspec.to_builtins(request.capabilities)
    if agent.capabilities != capabilities:
        agent.capabilities = capabilities
    if agent.frozen != request.frozen:
        agent.frozen = request.frozen[:512]


def _envelope(row: HostDocument, document: Document) -> Envelope:
    body = encode(document)
    return Envelope(
        kind=row.kind,
        id=row.resource_id,
        version=document.VERSION,
        digest=digest(body),
        revision=row.revision,
        body=body,
    )
