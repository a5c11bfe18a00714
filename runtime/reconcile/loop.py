"""One queue a resource.

Words about one key (a hint, an event of the host, a retry) are merged while it waits or is worked on, and
are handled in order; different keys run side by side on a few threads; a key that is idle costs nothing.
"""

import contextlib
import heapq
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from contract.document import Document, Envelope, Key, UnknownVersionError
from contract.kinds import decode
from contract.report import Fault, Report
from runtime import faultpoint, watchdog
from runtime.reconcile.ledger import Ledger
from runtime.reconcile.outcome import Failed, Handler, Retry

LOG = logging.getLogger(__name__)

#: Waiting times after an unexpected error, doubling up to the last.
FIRST_BACKOFF_S, LAST_BACKOFF_S = 1.0, 60.0


class Loop:
    """Applies the ledger to the host."""

    def __init__(
        self,
        ledger: Ledger,
        handlers: Mapping[str, Handler],
        pull: Callable[[Key], None],
        publish: Callable[[Report], None],
        workers: int = 4,
    ) -> None:
        """``pull`` refreshes the ledger for a key, ``publish`` sends a report; both may fail quietly."""
        self._ledger = ledger
        self._handlers = handlers
        self._pull = pull
        self._publish = publish
        self._changed = threading.Condition()
        self._ready: deque[Key] = deque()
        self._waiting: set[Key] = set()
        self._working: set[Key] = set()
        #: Of those, the ones in a call to the controller, which may take its whole time.
        self._talking: set[Key] = set()
        self._to_pull: set[Key] = set()
        self._later: list[tuple[float, Key]] = []
        self._backoff: dict[Key, float] = {}
        self._is_stopping = False
        self._turns = watchdog.Turns(f"the loop of {', '.join(handlers)}", lambda: self.poke(()))
        names = [f"reconcile-{n}" for n in range(workers)] + ["reconcile-timer"]
        targets = [self._work] * workers + [self._tick]
        self._threads = [
            threading.Thread(target=t, name=n, daemon=True) for t, n in zip(targets, names, strict=True)
        ]

    def start(self) -> None:
        """Starts the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Lets the work on the host end, starts nothing new.

        Calls under way are left behind: a document is pulled again, and the ledger keeps each report.
        """
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._working <= self._talking, timeout_s)

    def hint(self, keys: Iterable[Key]) -> None:
        """The controller says that these changed: pull, then apply."""
        with self._changed:
            for key in keys:
                self._to_pull.add(key)
                self._add(key)
            self._changed.notify_all()

    def poke(self, keys: Iterable[Key]) -> None:
        """Something on the host changed: look at these again."""
        with self._changed:
            for key in keys:
                self._add(key)
            self._changed.notify_all()

    def poke_later(self, key: Key, after_s: float) -> None:
        """Looks at ``key`` again after a while."""
        with self._changed:
            heapq.heappush(self._later, (time.monotonic() + after_s, key))
            self._changed.notify_all()

    def wait_idle(self, timeout_s: float) -> bool:
        """Waits until nothing is queued or worked on; False when time ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._ready or self._working), timeout_s)

    def _add(self, key: Key) -> None:
        if key in self._waiting:
            return
        self._waiting.add(key)
        if key not in self._working:
            self._ready.append(key)

    def _work(self) -> None:
        while (key := self._take()) is not None:
            try:
                self._handle(key)
            except Exception:
                if self._is_stopping:  # a call came back when the ledger was closed
                    return
                # not even the ledger could be written, as on a full disk: this thread goes on all the same
                LOG.exception("%s %s: what happened could not be noted", key.kind, key.id)
            finally:
                self._give_back(key)

    def _take(self) -> Key | None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping or bool(self._ready))
            if self._is_stopping:
                return None
            key = self._ready.popleft()
            self._waiting.discard(key)
            self._working.add(key)
            return key

    def _give_back(self, key: Key) -> None:
        with self._changed:
            self._working.discard(key)
            if key in self._waiting:
                self._ready.append(key)
            self._changed.notify_all()

    def _tick(self) -> None:
        with self._changed:
            while not self._is_stopping:
                self._turns.turned()
                now = time.monotonic()
                while self._later and self._later[0][0] <= now:
                    self._add(heapq.heappop(self._later)[1])
                    self._changed.notify_all()
                self._changed.wait(self._later[0][0] - now if self._later else None)

    def _handle(self, key: Key) -> None:
        with self._changed:
            is_to_pull = key in self._to_pull
            self._to_pull.discard(key)
        try:
            if is_to_pull:
                with self._talk(key):
                    self._pull(key)
                if self._is_stopping:
                    return
            self._settle(key)
            self._backoff.pop(key, None)
        except Exception as error:
            if self._is_stopping:
                raise
            wait = min(self._backoff.get(key, FIRST_BACKOFF_S / 2) * 2, LAST_BACKOFF_S)
            self._backoff[key] = wait
            LOG.exception("%s %s: unexpected error, again in %g s", key.kind, key.id, wait)
            self.poke_later(key, wait)
            self._say(key, "retrying", fault=Fault(message=_unexpected(key), details=repr(error)))

    def _settle(self, key: Key) -> None:
        handler = self._handlers.get(key.kind)
        if handler is None:
            return
        envelope = self._ledger.document(key)
        try:
            if self._ledger.tombstone(key) is not None:
                faultpoint.point(f"agent.{key.kind}.remove.before")
                handler.remove(key.id, _decoded(envelope))
                faultpoint.point(f"agent.{key.kind}.remove.after")
                self._say(key, "removed")
            elif envelope is not None:
                faultpoint.point(f"agent.{key.kind}.apply.before")
                observed = handler.apply(decode(envelope))
                faultpoint.point(f"agent.{key.kind}.apply.after")
                self._say(key, "applied", observed, digest=envelope.digest)
        except Retry as retry:
            if retry.fault is not None:
                LOG.warning("%s %s waits: %s %s", key.kind, key.id, retry.fault.message, retry.fault.details)
                self._say(key, "retrying", fault=retry.fault, digest=envelope.digest if envelope else "")
            self.poke_later(key, retry.after_s)
        except (Failed, UnknownVersionError) as error:
            fault = error.fault if isinstance(error, Failed) else Fault(message=str(error))
            LOG.warning("%s %s failed: %s %s", key.kind, key.id, fault.message, fault.details)
            self._say(key, "failed", fault=fault, digest=envelope.digest if envelope else "")

    def _say(
        self,
        key: Key,
        state: str,
        observed: msgspec.Struct | None = None,
        fault: Fault | None = None,
        digest: str = "",
    ) -> None:
        report = Report(
            sequence=0,
            kind=key.kind,
            id=key.id,
            digest=digest,
            state=state,  # type: ignore[arg-type]
            observed=msgspec.json.encode(observed),
            fault=fault,
            results=self._ledger.results(key),
        )
        numbered = self._ledger.report(report)
        if numbered is not None:
            with self._talk(key):
                self._publish(numbered)

    @contextlib.contextmanager
    def _talk(self, key: Key) -> Iterator[None]:
        with self._changed:
            self._talking.add(key)
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._talking.discard(key)


def _decoded(envelope: Envelope | None) -> Document | None:
    """The last known document of something to be removed; unreadable ones count as unknown."""
    if envelope is None:
        return None
    try:
        return decode(envelope)
    except (UnknownVersionError, msgspec.MsgspecError):
        return None


def _unexpected(key: Key) -> str:
    return f"The host could not bring its {key.kind.replace('_', ' ')} into the wanted state and tries again."
