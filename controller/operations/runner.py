"""The workers of one engine: they claim due operations and advance them. Run as many engines as you like."""

import logging
import threading
from collections.abc import Callable, Mapping

from controller.db.session import Database
from controller.operations import claim
from controller.operations.advance import advance
from controller.operations.model import Operation
from controller.operations.step import Definition, LeaseLost
from runtime import log, trouble

LOG = logging.getLogger(__name__)


class Runner:
    """Threads that sleep until woken. ``after`` is called when an operation was put down: its writes
    may have to be told to hosts."""

    def __init__(
        self,
        db: Database,
        definitions: Mapping[str, Definition],
        after: Callable[[], None],
        workers: int = 4,
        lease_s: int = claim.LEASE_S,
    ) -> None:
        self._db = db
        self._definitions = definitions
        self._after = after
        self.lease_s = lease_s
        self._workers = workers
        self._changed = threading.Condition()
        self._is_stopping = False
        self._words = 0
        self._held: dict[str, Operation] = {}
        self._threads = [
            threading.Thread(target=self._work, name=f"operation-{n}", daemon=True) for n in range(workers)
        ]

    def start(self) -> None:
        """Starts the workers; they look for work at once."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Lets steps under way end."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=10)

    def wake(self) -> None:
        """Work may be due: one worker looks, and calls others while it finds more."""
        with self._changed:
            self._words = min(self._words + 1, self._workers)
            self._changed.notify()

    def renew(self) -> None:
        """Prolongs the leases of what the workers hold; called by the engine's upkeep."""
        with self._changed:
            held = list(self._held.values())
        for operation in held:
            if not self._db.write(lambda s, o=operation: claim.renew(s, o, self.lease_s)):  # type: ignore[misc]
                LOG.warning("lease of %s was lost", operation.subject)

    def _work(self) -> None:
        while not self._is_stopping:
            try:
                is_found = self._take_one()
            except Exception as error:
                trouble.tell(LOG, error, "operations could not be looked at")
                is_found = False
            if not is_found:
                self._sleep()

    def _sleep(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping or self._words > 0)
            self._words = max(0, self._words - 1)

    def _take_one(self) -> bool:
        with self._db.read() as session:
            ids = list(session.scalars(claim.due(session)))
        for operation_id in ids:
            operation = self._db.write(lambda s, i=operation_id: claim.claim(s, i, self.lease_s))  # type: ignore[misc]
            if operation is not None:
                if len(ids) > 1:
                    self.wake()
                self._advance(operation)
                return True
        return False

    def _advance(self, operation: Operation) -> None:
        definition = self._definitions[operation.kind]
        with self._changed:
            self._held[operation.id] = operation
        try:
            with log.working_for(operation.request_id):
                advance(self._db, definition, operation)
        except LeaseLost:
            LOG.info("%s of %s goes on elsewhere", operation.kind, operation.subject)
        finally:
            with self._changed:
                self._held.pop(operation.id, None)
            self._after()
