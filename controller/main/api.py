"""controller-api: all services, or some, under one port by path."""

import runtime.lean  # noqa: F401, I001  must come before what might import eventlet

import contextlib
import errno
import socket

from oslo_config import cfg

from controller.main import assembly
from controller.main.chores import of_api
from controller.main.poke import Poke
from controller.main.process import Process, prepare
from controller.volume import secrets as volume_secrets
from controller.web.asgi import AsgiApp
from controller.web.server import WebServer
from runtime import service, settings
from runtime.chores import Chores
from runtime.bus import CONTROLLER, Bus


def main() -> None:
    """The entry point."""
    service.run("controller-api", start)


def start(conf: cfg.ConfigOpts, stack: contextlib.ExitStack) -> None:
    """Brings the API up as a process of its own: an engine is told of work by message."""
    assembly.register(conf)
    process = prepare(conf)
    stack.callback(process.db.close)
    volume_secrets.configure(process.master_key)
    bus = Bus(conf, CONTROLLER, process.keys)
    stack.callback(bus.close)
    process.db.on_hint = Poke(bus)
    serve(process, bus, stack)


def serve(process: Process, bus: Bus, stack: contextlib.ExitStack) -> None:
    """Answers requests, and does the chores of the services. Raises ConfigurationError."""
    conf = process.conf
    tidying = Chores(of_api(process))
    tidying.start()
    stack.callback(tidying.stop)
    app = assembly.assemble(process, bus, frozenset(conf.api.services))
    place = (str(conf.api.bind or conf.my_ip), int(conf.api.port))
    _need_address(place[0])
    server = WebServer(AsgiApp(app, conf.api.threads), place)
    try:
        server.start()
    except OSError as error:
        raise settings.ConfigurationError(
            f"{place[0]}:{place[1]}: {error}. End what listens there, or set another [api] port or bind."
        ) from error
    stack.callback(server.stop)


def _need_address(address: str) -> None:
    """At the boot of a host its address may come later than its processes. Raises NotYetError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        try:
            trial.bind((address, 0))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise settings.NotYetError(
                    f"{address} is no address of this host yet. If it never will be, correct [api] bind or my_ip."
                ) from error
