"""A whole controller in one process, without a bus: real services, engine and database, pretended hosts."""

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from contract.document import Key
from controller.db import agents
from controller.db.mark import ensure_database_id
from controller.db.sealed import MasterKey
from controller.db.session import Database
from controller.engine.outbox import Outbox
from controller.engine.reports import Reports
from controller.engine.sync import Line
from controller.engine.upkeep import Upkeep
from controller.main.engine import enlist
from controller.main.engine_assembly import DEFINITIONS, DEPENDENTS, DOCUMENTS, OBSERVERS, chores
from controller.operations.runner import Runner
from controller.volume import secrets as volume_secrets
from runtime.chores import Chores
from tests.fakes.fake_host import FakeHost

__all__ = ["FakeCloud", "agents"]


class FakeCloud:
    """The engine over a database, with hosts that hear its hints directly."""

    def __init__(self, db: Database) -> None:
        self.db = db
        db.write(ensure_database_id)
        volume_secrets.configure(MasterKey(b"0" * 32))
        self.line = Line(db, DOCUMENTS, Reports(OBSERVERS), enlist)
        self.outbox = Outbox(db, DOCUMENTS, DEPENDENTS, self._hint)
        self.definitions = dict(DEFINITIONS)
        self.runner = Runner(db, self.definitions, self.outbox.wake, workers=2)
        self.upkeep = Upkeep(db, self.outbox, self.runner)
        self.chores = Chores(chores(db))
        self.hosts: list[FakeHost] = []
        db.on_hint = self.nudge

    def add_host(self, name: str, **limits: int) -> FakeHost:
        """A host that is up."""
        host = FakeHost(name, self.line, **limits)
        self.hosts.append(host)
        host.beat()
        return host

    def nudge(self) -> None:
        """There may be work."""
        self.outbox.wake()
        self.runner.wake()

    def start(self, stack: contextlib.ExitStack) -> None:
        """Starts the engine's threads."""
        for part in (self.outbox, self.runner, self.upkeep, self.chores):
            part.start()
            stack.callback(part.stop)

    def until(self, look: Callable[[], Any], timeout_s: float = 60.0) -> Any:
        """What ``look`` gives once that is true."""
        deadline = time.monotonic() + timeout_s
        while not (found := look()):
            held = {host.name: sorted(host.held) for host in self.hosts}
            assert time.monotonic() < deadline, f"{look} did not become true; hosts hold {held}"
            time.sleep(0.02)
        return found

    def _hint(self, place: tuple[str, str], keys: Sequence[Key]) -> None:
        for host in self.hosts:
            host.changed(place, list(keys))
