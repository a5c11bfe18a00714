"""Assembles one agent: ledger, loop, line to the controller, and the methods it answers.

``nova_compute``, ``ovs_agent`` and ``volume_agent`` hand in their handlers and what they know of the host.
"""

import contextlib
import fcntl
import logging
import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO

from oslo_config import cfg

from contract.calls import Adopt, Changed, Finding, Inspect, InspectAnswer
from contract.document import Key
from contract.report import Capabilities, Inventory
from runtime import settings
from runtime.bus import Bus, Method
from runtime.reconcile.ledger import Ledger
from runtime.reconcile.loop import Loop
from runtime.reconcile.outcome import Handler
from runtime.reconcile.sync import Sync

LOG = logging.getLogger(__name__)


class HostKey:
    """The one key that an agent has: its host's, from a file."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        path = pathlib.Path(conf.host_key_file)
        try:
            self._key = bytes.fromhex(path.read_text().strip())
        except (OSError, ValueError) as error:
            raise settings.ConfigurationError(
                f"host_key_file {path}: {error}. Make it with 'controller-manage host-key "
                f"{conf.host} > {path}' on the controller."
            ) from error

    def key(self, key_id: str) -> bytes | None:
        """The host's key, whoever's is asked for: a wrong one will not verify."""
        return self._key


@dataclass
class Parts:
    """What an agent brings: handlers by kind, a description of the host, and further methods.

    ``inspect`` lists what is on the host. ``order`` says in which order kinds are applied at start.
    """

    handlers: Mapping[str, Handler]
    describe: Callable[[], tuple[Capabilities, dict[str, Inventory]]]
    inspect: Callable[[], InspectAnswer]
    order: tuple[str, ...]
    methods: Mapping[str, Method] = field(default_factory=dict)


class HostAgent:
    """A running agent."""

    def __init__(self, conf: cfg.ConfigOpts, name: str) -> None:
        self.conf = conf
        self.name = name
        self.host = str(conf.host)
        self._lock = _sole(settings.state_dir(conf, name) / "lock", name)
        self.ledger = Ledger(settings.state_dir(conf, name) / "ledger.db")
        self.bus = Bus(conf, self.host, HostKey(conf))
        self._loop: Loop | None = None
        self._sync: Sync | None = None

    def poke(self, keys: list[Key]) -> None:
        """Something on the host changed: look at these again. For event listeners of any thread."""
        if self._loop is not None:
            self._loop.poke(keys)

    def start(self, parts: Parts, stack: contextlib.ExitStack, workers: int = 4) -> None:
        """Applies the ledger at once, then follows the controller; the stack takes what stops it."""
        sync = self._sync = Sync(self.bus, self.name, self.ledger, parts.describe)
        loop = self._loop = Loop(self.ledger, parts.handlers, sync.pull, sync.publish, workers)
        stack.callback(self.ledger.close)
        stack.callback(self.bus.close)
        loop.start()
        stack.callback(loop.stop)
        # a kind that only a newer agent knows stays in the ledger, for that one
        known = self.ledger.keys()
        loop.poke([key for kind in parts.order for key in known if key.kind == kind])
        stack.callback(self.bus.serve(self.name, self.host, self._methods(parts, loop, sync)))
        sync.start(loop.poke)
        stack.callback(sync.stop)

    def _methods(self, parts: Parts, loop: Loop, sync: Sync) -> dict[str, Method]:
        def changed(request: Changed, _host: str) -> None:
            loop.hint(request.keys)

        def inspect(_request: Inspect, _host: str) -> InspectAnswer:
            seen = parts.inspect().findings
            held = set(self.ledger.keys()) - {Key(f.kind, f.id) for f in seen}
            rest = (Finding(kind=k.kind, id=k.id, place="ledger", is_known=True) for k in sorted(held))
            return InspectAnswer(findings=(*seen, *rest), frozen=sync.frozen)

        return {
            "changed": Method(Changed, changed),
            "inspect": Method(Inspect, inspect),
            "adopt": Method(Adopt, sync.adopt),
            **parts.methods,
        }


def _sole(path: pathlib.Path, name: str) -> IO[str]:
    """Holds the agent's lock until the process ends: two on one ledger would undo each other's work."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise settings.ConfigurationError(
            f"{name} runs already on {path.parent}: end that one, or give this one another state_path."
        ) from None
    return file
