"""What an engine does by the clock: leases kept, stragglers of the outbox taken, due operations started.

Events do the work within milliseconds; this is for what an event was lost for.
"""

import logging
import threading

from sqlalchemy import select

from controller.db.session import Database
from controller.engine.outbox import Outbox
from controller.operations import claim
from controller.operations.runner import Runner
from runtime import trouble, watchdog

LOG = logging.getLogger(__name__)

TICK_S = 1.0
#: Leases are renewed when this part of their length is over.
RENEW_AFTER = 1 / 3


class Upkeep:
    """One thread with a tick."""

    def __init__(self, db: Database, outbox: Outbox, runner: Runner) -> None:
        self._db = db
        self._outbox = outbox
        self._runner = runner
        self._stopping = threading.Event()
        self._turns = watchdog.Turns("the engine's upkeep")
        self._thread = threading.Thread(target=self._work, name="upkeep", daemon=True)

    def start(self) -> None:
        """Starts ticking."""
        self._thread.start()

    def stop(self) -> None:
        """Ends."""
        self._stopping.set()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        ticks = 0
        while not self._stopping.wait(TICK_S):
            ticks += 1
            try:
                self._tick(ticks)
            except Exception as error:
                trouble.tell(LOG, error, "upkeep failed, the next tick repeats it")
            self._turns.turned()

    def _tick(self, ticks: int) -> None:
        if self._outbox.has_stragglers():
            self._outbox.wake()
        if self._is_work_due():
            self._runner.wake()
        if ticks % max(1, int(self._runner.lease_s * RENEW_AFTER / TICK_S)) == 0:
            self._runner.renew()

    def _is_work_due(self) -> bool:
        with self._db.read() as session:
            due = claim.due(session).limit(1)
            return session.scalar(select(due.exists())) or False
