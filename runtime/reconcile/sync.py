"""Keeps the ledger in step with the controller: heartbeat, sync, pull, report, and the freeze.

The agent follows one database, forwards only. When the controller speaks for another one, or for an
older copy, nothing it says is believed until the doctor tells the agent to adopt it: guests go on.
"""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from contract import report as words
from contract import topics
from contract.calls import Adopt, Nothing
from contract.document import Key, set_digest
from runtime import watchdog
from runtime.bus import Bus, BusError
from runtime.reconcile.ledger import Ledger

LOG = logging.getLogger(__name__)

HEARTBEAT_S = 5.0
#: Short, so that an agent that started before the engine is heard soon after the engine is there.
HEARTBEAT_TIMEOUT_S = 3.0
#: A whole set of documents takes its time; a call that went to an engine that stopped is lost for as long.
SYNC_TIMEOUT_S = 20.0
_ENGINE = (topics.ENGINE, None)
Answer = TypeVar("Answer", words.HeartbeatAnswer, words.PullAnswer, words.SyncAnswer)


class Sync:
    """One agent's line to the controller."""

    def __init__(
        self,
        bus: Bus,
        agent: str,
        ledger: Ledger,
        describe: Callable[[], tuple[words.Capabilities, dict[str, words.Inventory]]],
    ) -> None:
        self._bus = bus
        self._agent = agent
        self._ledger = ledger
        self._describe = describe
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._frozen = ledger.mark("frozen")
        self._poke: Callable[[list[Key]], None] = lambda keys: None
        self._turns = watchdog.Turns(f"the heartbeat of {agent}")
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self, poke: Callable[[list[Key]], None]) -> None:
        """Begins heartbeats; ``poke`` is called with keys whose document came by sync."""
        self._poke = poke
        self._thread.start()

    def stop(self) -> None:
        """Ends the heartbeats. One under way is left behind: it says nothing that is not said again."""
        self._stopping.set()
        self._wake.set()

    @property
    def frozen(self) -> str:
        """Why the agent does not follow the controller; empty when it does."""
        return self._frozen

    def pull(self, key: Key) -> None:
        """Refreshes the ledger's document of ``key``; the ledger stays as it is when no one answers."""
        request = words.Pull(agent=self._agent, kind=key.kind, id=key.id)
        with self._ledger.asking() as forgotten:
            try:
                answer = self._ask("pull", request, words.PullAnswer)
            except BusError as error:
                LOG.warning("%s %s was not pulled, the next heartbeat will: %s", key.kind, key.id, error)
                self.hurry()
                return
            if answer is not None:
                documents = [answer.document] if answer.document else []
                tombstones = [answer.tombstone] if answer.tombstone else []
                self._ledger.take_in(documents, tombstones, forgotten)

    def publish(self, report: words.Report) -> None:
        """Sends a report now; if that fails the next heartbeat carries it."""
        try:
            answer = self._bus.call(
                _ENGINE, "report", words.Reports(agent=self._agent, reports=(report,)), words.ReportAnswer
            )
        except BusError as error:
            LOG.warning("report on %s %s waits for the next heartbeat: %s", report.kind, report.id, error)
            return
        self._ledger.acknowledge(answer.acknowledged)

    def hurry(self) -> None:
        """Makes the next heartbeat come within a second."""
        timer = threading.Timer(1.0, self._wake.set)
        timer.daemon = True
        timer.start()

    def adopt(self, request: Adopt, _host: str) -> Nothing:
        """Follows another database, or an older copy, from now on (the doctor asked)."""
        with self._lock:
            self._ledger.begin_anew()
            self._ledger.set_mark("database_id", request.database_id)
            self._ledger.set_mark("revision", str(request.revision))
            self._freeze("")
        self._wake.set()
        return Nothing()

    def _beat(self) -> None:
        while not self._stopping.is_set():
            try:
                self._heartbeat()
                wait = HEARTBEAT_S
            except BusError as error:
                LOG.warning("no heartbeat: %s", error)
                wait = HEARTBEAT_S / 5
            except Exception:
                if self._stopping.is_set():  # the ledger is closed already
                    return
                LOG.exception("heartbeat failed")
                wait = HEARTBEAT_S
            self._turns.turned()
            self._wake.wait(wait)
            self._wake.clear()

    def _heartbeat(self) -> None:
        capabilities, inventory = self._describe()
        answer = self._ask(
            "heartbeat",
            words.Heartbeat(
                agent=self._agent,
                set_digest=set_digest(self._ledger.digests()),
                database_id=self._ledger.mark("database_id"),
                revision=self._revision(),
                capabilities=capabilities,
                inventory=inventory,
                reports=self._ledger.unacknowledged()[:200],
                frozen=self._frozen,
            ),
            words.HeartbeatAnswer,
            timeout_s=HEARTBEAT_TIMEOUT_S,
        )
        if answer is None:
            return
        self._ledger.acknowledge(answer.acknowledged)
        if not answer.is_in_step:
            self._sync()

    def _sync(self) -> None:
        with self._ledger.asking() as forgotten:
            held = tuple((k.kind, k.id, d) for k, d in self._ledger.digests().items())
            request = words.Sync(agent=self._agent, digests=held)
            answer = self._ask("sync", request, words.SyncAnswer, SYNC_TIMEOUT_S)
            if answer is None:
                return
            taken = self._ledger.take_in(answer.documents, answer.tombstones, forgotten)
        for key in answer.unknown:
            if key in forgotten:
                continue
            LOG.warning(
                "the database knows nothing of %s %s: left as it is, see controller-manage doctor",
                key.kind,
                key.id,
            )
        self._poke(taken)

    def _ask(
        self, method: str, request: msgspec.Struct, answer_type: type[Answer], timeout_s: float = 10.0
    ) -> Answer | None:
        """Calls the engine; None when what it answers is not to be believed. Raises BusError.

        Answers to calls side by side may overtake each other, so an answer is old only if it is older
        than what was known before it was asked for.
        """
        known = self._revision()
        answer = self._bus.call(_ENGINE, method, request, answer_type, timeout_s=timeout_s)
        return answer if self._follows(answer.database_id, answer.revision, known) else None

    def _follows(self, database_id: str, revision: int, known_when_asked: int) -> bool:
        """Whether what comes from this database at this revision may be believed."""
        with self._lock:
            known = self._ledger.mark("database_id")
            if known and database_id != known:
                self._freeze(f"this host follows database {known}, the controller speaks for {database_id}")
            elif revision < min(known_when_asked, self._revision()):
                self._freeze(f"the database went back from revision {self._revision()} to {revision}")
            elif not self._frozen:
                if not known:
                    self._ledger.set_mark("database_id", database_id)
                if revision > self._revision():
                    self._ledger.set_mark("revision", str(revision))
            return not self._frozen

    def _revision(self) -> int:
        return int(self._ledger.mark("revision") or 0)

    def _freeze(self, reason: str) -> None:
        if reason and reason != self._frozen:
            LOG.error("%s: nothing is changed here until 'controller-manage doctor' settles it", reason)
        self._frozen = reason
        self._ledger.set_mark("frozen", reason)
