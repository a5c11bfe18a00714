"""controller-engine: outbox, operations, the agents' line, upkeep."""

import runtime.lean  # noqa: F401, I001  must come before what might import eventlet

import contextlib
import logging
import os
from collections.abc import Sequence

from oslo_config import cfg
from sqlalchemy.orm import Session

from contract import report as words
from contract import topics
from contract.calls import Changed, Nothing
from contract.document import Key
from controller.db.agents import Agent
from controller.db.outbox import changed
from controller.engine.outbox import Outbox
from controller.engine.reports import Reports
from controller.engine.sync import Line
from controller.engine.upkeep import Upkeep
from controller.main.engine_assembly import DEFINITIONS, DEPENDENTS, DOCUMENTS, OBSERVERS, chores
from controller.main.process import Process, prepare
from controller.operations.claim import LEASE_S
from controller.operations.runner import Runner
from controller.placement import providers
from controller.volume import secrets as volume_secrets
from runtime import faultpoint, service
from runtime.chores import Chores
from runtime.bus import CONTROLLER, Bus, BusError, Method

LOG = logging.getLogger(__name__)

OPTIONS = [
    cfg.IntOpt("workers", default=4, min=1, help="Operations that this engine advances side by side."),
    cfg.IntOpt(
        "lease_s",
        default=LEASE_S,
        min=3,
        help="Seconds after which another engine takes over the operations of one that is silent.",
    ),
]


class Engine:
    """One engine, assembled. ``nudge`` is what everything that writes calls: there may be work."""

    def __init__(self, process: Process) -> None:
        conf, db = process.conf, process.db
        volume_secrets.configure(process.master_key)
        self.bus = Bus(conf, CONTROLLER, process.keys)
        self.outbox = Outbox(db, DOCUMENTS, DEPENDENTS, self._hint)
        self.runner = Runner(db, DEFINITIONS, self.outbox.wake, conf.engine.workers, conf.engine.lease_s)
        self.line = Line(db, DOCUMENTS, Reports(OBSERVERS), enlist)
        self.upkeep = Upkeep(db, self.outbox, self.runner)
        self.chores = Chores(chores(db), "the engine's chores")
        db.on_hint = self.nudge

    def nudge(self) -> None:
        """A transaction wrote to the outbox or touched an operation."""
        self.outbox.wake()
        self.runner.wake()

    def start(self, stack: contextlib.ExitStack) -> None:
        """Starts everything; the stack takes what stops it, in reverse order."""
        stack.callback(self.bus.close)
        for part in (self.outbox, self.runner, self.upkeep, self.chores):
            part.start()
            stack.callback(part.stop)
        stack.callback(self.bus.serve(topics.ENGINE, f"engine-{os.getpid()}", self._methods()))

    def _hint(self, place: tuple[str, str], keys: Sequence[Key]) -> None:
        try:
            faultpoint.point("engine.hint.before")
            self.bus.cast(place, "changed", Changed(keys=tuple(keys)))
        except BusError as error:
            LOG.warning("hint to %s on %s was lost, its heartbeat will tell: %s", *place, error)

    def _methods(self) -> dict[str, Method]:
        def poke(_request: Nothing, _host: str) -> None:
            self.nudge()

        return {
            "heartbeat": Method(words.Heartbeat, self.line.heartbeat),
            "report": Method(words.Reports, self.line.report),
            "pull": Method(words.Pull, self.line.pull),
            "sync": Method(words.Sync, self.line.sync),
            "poke": Method(Nothing, poke),
        }


def enlist(session: Session, agent: Agent, heartbeat: words.Heartbeat) -> None:
    """A compute host that lives is a resource provider with what it said it has; a tunnel end point that
    is new or moved must be told to the other hosts of its networks."""
    if heartbeat.agent == topics.NOVA_COMPUTE and heartbeat.inventory:
        providers.ensure(session, agent.id, agent.host, heartbeat.inventory)
    known = (agent.capabilities or {}).get("tunnel_ip", "")
    if heartbeat.agent == topics.OVS_AGENT and heartbeat.capabilities.tunnel_ip != known:
        changed(session, "tunnel_endpoint", agent.host)


def register(conf: cfg.ConfigOpts) -> None:
    """Makes the engine's options known to ``conf``; safe to repeat."""
    conf.register_opts(OPTIONS, group="engine")


def start(conf: cfg.ConfigOpts, stack: contextlib.ExitStack) -> None:
    """Assembles and starts the engine."""
    register(conf)
    process = prepare(conf)
    stack.callback(process.db.close)
    Engine(process).start(stack)


def main() -> None:
    """The entry point."""
    service.run("controller-engine", start)
