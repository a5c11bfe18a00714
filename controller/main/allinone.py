"""cumulet-allinone: API, engine and the host's agents in one process, on SQLite and a bus of its own.

Nothing else has to run, and no code of services or agents knows the difference: only what is assembled here.
The agents are found by entry point, since controller and agents import nothing of each other.
"""

import runtime.lean  # noqa: F401, I001  must come before what might import eventlet

import contextlib
import importlib.metadata
from collections.abc import Callable

from oslo_config import cfg

from controller.main import api, assembly, engine
from controller.main.process import prepare
from runtime import service
from runtime.inprocess.driver import open_home

#: Entry points of agents: ``start(conf, stack)`` each.
AGENTS = "cumulet.agents"
#: Programs whose configuration files are read as well: everybody's options are where they always are.
CONTROLLER_PARTS = ("controller-api", "controller-engine")

Start = Callable[[cfg.ConfigOpts, contextlib.ExitStack], None]


def main() -> None:
    """The entry point."""
    service.run("cumulet-allinone", start, (*CONTROLLER_PARTS, *agents()))


def start(conf: cfg.ConfigOpts, stack: contextlib.ExitStack) -> None:
    """Brings everything up, agents last: they are answered at their first word, and find images at the API."""
    assembly.register(conf)
    engine.register(conf)
    process = prepare(conf)
    stack.callback(process.db.close)
    stack.callback(open_home(conf))
    core = engine.Engine(process)
    core.start(stack)
    api.serve(process, core.bus, stack)
    for begin in agents().values():
        begin(conf, stack)


def agents() -> dict[str, Start]:
    """What starts each agent that is installed, by name."""
    return {point.name: point.load() for point in importlib.metadata.entry_points(group=AGENTS)}
