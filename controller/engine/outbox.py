"""Turns what changed into hints: which documents of which hosts are built on the changed rows.

One pass is one transaction: rows of the outbox are taken, the documents built on them are rendered, the
table of host documents is brought up to date, the rows are deleted. Hints go out after the commit; a lost
one is made good by the next heartbeat, since the set's digest differs.
"""

import datetime
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from contract.document import Key, digest, encode
from contract.topics import AGENT_OF_KIND
from controller.db.agents import Agent
from controller.db.columns import new_uuid, now
from controller.db.host_documents import Dependents, DocumentKind, HostDocument
from controller.db.outbox import OutboxRow
from controller.db.session import Database
from runtime import faultpoint, log, trouble, watchdog

LOG = logging.getLogger(__name__)

Place = tuple[str, str]
Hint = Callable[[Place, Sequence[Key]], None]
#: What one pass found: hints by place, the request that it works for, and the number of rows.
_Pass = tuple[dict[Place, set[Key]], str, int]
_BATCH = 200
#: For how long a row that cannot be taken is left alone.
_ASIDE_S = 30.0


class Outbox:
    """The engine's side of the outbox. ``hint`` tells (agent, host) that documents changed."""

    def __init__(
        self,
        db: Database,
        documents: Mapping[str, DocumentKind],
        dependents: Mapping[str, Dependents],
        hint: Hint,
    ) -> None:
        self._db = db
        self._documents = documents
        self._dependents = dependents
        self._hint = hint
        self._woken = threading.Event()
        self._set_aside: dict[int, float] = {}
        self._is_stopping = False
        self._turns = watchdog.Turns("the engine's outbox", self.wake)
        self._thread = threading.Thread(target=self._work, name="outbox", daemon=True)

    def start(self) -> None:
        """Starts the thread; it empties what is there."""
        self._woken.set()
        self._thread.start()

    def stop(self) -> None:
        """Lets the pass under way end."""
        self._is_stopping = True
        self._woken.set()
        self._thread.join(timeout=10)

    def wake(self) -> None:
        """There may be rows."""
        self._woken.set()

    def has_stragglers(self) -> bool:
        """Whether rows are older than a second: whoever wrote them could not say so."""
        with self._db.read() as session:
            oldest = session.scalar(
                select(func.min(OutboxRow.created_at)).where(OutboxRow.id.not_in(self._aside()))
            )
        return oldest is not None and now() - oldest > datetime.timedelta(seconds=1)

    def flush(self) -> int:
        """Empties the outbox now; the number of rows that it held."""
        total = 0
        while True:
            hints, request, count = self._try_pass()
            total += count
            with log.working_for(request):
                for place, keys in hints.items():
                    self._hint(place, sorted(keys))
            if count < _BATCH:
                return total

    def _work(self) -> None:
        while not self._is_stopping:
            self._woken.wait()
            self._woken.clear()
            try:
                self.flush()
            except Exception as error:
                trouble.tell(LOG, error, "outbox pass failed, the next tick repeats it")
            self._turns.turned()

    def _try_pass(self) -> _Pass:
        """A pass over many rows; when one of them cannot be taken, over each alone, and that one is set
        aside for a while: a single row must not keep the others' hosts from hearing."""
        try:
            return self._db.write(lambda session: self._pass(session, _BATCH))
        except (DBAPIError, trouble.Trouble):
            raise
        except Exception:
            LOG.exception("outbox: a row cannot be taken, each is tried alone")
        hints: dict[Place, set[Key]] = defaultdict(set)
        count = 0
        while (row := self._oldest()) is not None:
            try:
                found, _, taken = self._db.write(lambda session: self._pass(session, 1))
            except (DBAPIError, trouble.Trouble):
                raise
            except Exception:
                LOG.exception("outbox: row %d (%s %s) is set aside", row.id, row.kind, row.resource_id)
                self._set_aside[row.id] = time.monotonic() + _ASIDE_S
                continue
            count += taken
            for place, keys in found.items():
                hints[place] |= keys
            if not taken or count >= _BATCH:
                break
        return hints, "", count

    def _oldest(self) -> OutboxRow | None:
        with self._db.read() as session:
            return session.scalars(
                select(OutboxRow).where(OutboxRow.id.not_in(self._aside())).order_by(OutboxRow.id).limit(1)
            ).one_or_none()

    def _aside(self) -> list[int]:
        """Rows that are not to be tried now."""
        now_is = time.monotonic()
        self._set_aside = {row: until for row, until in self._set_aside.items() if until > now_is}
        return list(self._set_aside)

    def _pass(self, session: Session, limit: int) -> _Pass:
        rows = session.execute(
            select(OutboxRow.id, OutboxRow.kind, OutboxRow.resource_id, OutboxRow.request_id)
            .where(OutboxRow.id.not_in(self._aside()))
            .order_by(OutboxRow.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        if not rows:
            return {}, "", 0
        keys: set[Key] = set()
        for kind, resource_id in {(r.kind, r.resource_id) for r in rows}:
            keys |= self._dependents[kind](session, resource_id)
        hints = self._bring_up_to_date(session, keys)
        session.execute(delete(OutboxRow).where(OutboxRow.id.in_([r.id for r in rows])))
        faultpoint.point("engine.documents.before")
        return hints, rows[-1].request_id, len(rows)

    def _bring_up_to_date(self, session: Session, keys: set[Key]) -> dict[Place, set[Key]]:
        affected: dict[Key, set[str]] = {}
        for key in keys:
            had = session.scalars(
                select(HostDocument.host).where(
                    HostDocument.kind == key.kind, HostDocument.resource_id == key.id
                )
            )
            affected[key] = set(had) | self._documents[key.kind].hosts(session, key.id)
        places = sorted({(AGENT_OF_KIND[k.kind], host) for k, hosts in affected.items() for host in hosts})
        revisions = {place: _bump(session, place) for place in places}
        hints: dict[Place, set[Key]] = defaultdict(set)
        for key in sorted(affected):
            wanted = self._documents[key.kind].hosts(session, key.id)
            for host in affected[key]:
                place = (AGENT_OF_KIND[key.kind], host)
                if self._settle(session, key, place, (revisions[place], host in wanted)):
                    hints[place].add(key)
        return hints

    def _settle(self, session: Session, key: Key, place: Place, now_is: tuple[int, bool]) -> bool:
        """Writes what one host should have of one document; tells whether that changed."""
        (agent, host), (revision, is_wanted) = place, now_is
        row = session.get(HostDocument, (host, key.kind, key.id), with_for_update=True)
        document = self._documents[key.kind].render(session, host, key.id) if is_wanted else None
        if document is None:
            if row is None or row.is_tombstone:
                return False
            row.is_tombstone, row.digest, row.revision = True, "tombstone", revision
            return True
        found = digest(encode(document))
        if row is None:
            session.add(
                HostDocument(
                    host=host,
                    kind=key.kind,
                    resource_id=key.id,
                    agent=agent,
                    digest=found,
                    revision=revision,
                    is_tombstone=False,
                )
            )
            return True
        if row.digest == found and not row.is_tombstone:
            # a host that pulled between two changes may hold what was so for a moment
            return row.reported_digest not in ("", found)
        row.is_tombstone, row.digest, row.revision = False, found, revision
        return True


def _bump(session: Session, place: Place) -> int:
    """Locks the agent's set by raising its revision; makes the agent's row if nobody spoke yet."""
    agent, host = place
    mine = (Agent.host == host, Agent.agent == agent)
    raised = session.execute(update(Agent).where(*mine).values(revision=Agent.revision + 1))
    if raised.rowcount != 1:  # type: ignore[attr-defined]
        session.add(Agent(id=new_uuid(), host=host, agent=agent, revision=1))
        session.flush()
    revision: int = session.scalar(select(Agent.revision).where(*mine))  # type: ignore[assignment]
    return revision
