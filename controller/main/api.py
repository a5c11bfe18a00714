"""controller-api: all services, or some, under one port by path, served by granian."""

import runtime.lean  # noqa: F401, I001  must come before what might import eventlet

import functools
import logging
import sys
from typing import Any

from oslo_config import cfg

from contract import topics
from contract.calls import Nothing
from controller.identity import tools as identity_tools
from controller.identity.tokens.validate import authenticate
from controller.main import chores
from controller.main.agent_calls import AgentCalls
from controller.main.assembly import RULES, SERVICES
from controller.main.images import is_image_in_use, may_read_image
from controller.main.process import Process, prepare
from controller.volume import secrets as volume_secrets
from controller.web import app as web
from controller.web.health import health_app
from controller.web.policy import Policy
from controller.web.resource import Cloud
from controller.web.server import Server, serve
from runtime import faultpoint, log, service, settings
from runtime.bus import CONTROLLER, Bus, BusError

LOG = logging.getLogger(__name__)

OPTIONS = [
    cfg.PortOpt("port", default=5000, help="Port on which the services listen."),
    cfg.StrOpt("bind", help="Address on which the services listen; my_ip when not given."),
    cfg.IntOpt("threads", default=8, min=1, help="Requests that are worked on side by side."),
    cfg.ListOpt("services", default=[], help="Services of this process; empty for all."),
]


def create_app() -> Server:
    """The application, in the process that serves it."""
    conf = _configured()
    log.setup(conf, "controller-api")
    process = prepare(conf)
    volume_secrets.configure(process.master_key)
    bus = Bus(conf, CONTROLLER, process.keys)
    process.db.on_hint = _poke(bus)
    chores.Chores(chores.of_api(process)).start()
    return Server(assemble(process, bus), conf.api.threads)


def assemble(process: Process, bus: Bus) -> web.WsgiApp:
    """Every service with what it needs, mounted by path."""
    identity = identity_tools.make(process.conf, process.db, process.master_key)
    cloud = Cloud(
        process.conf,
        process.db,
        Policy(process.conf, RULES),
        {
            "consoles": AgentCalls(bus),
            "host_key": process.keys.key,
            "may_read_image": may_read_image,
            "image_in_use": is_image_in_use,
            identity_tools.NAME: identity,
        },
    )
    check = authenticate(process.db, identity.keys)
    wanted = set(process.conf.api.services)
    apps = [(s.prefix, web.build(s, cloud, check)) for s in SERVICES if not wanted or s.name in wanted]
    return web.mount(apps, health_app(process.db))


def main() -> None:
    """The entry point: granian's main process keeps one worker alive."""
    try:
        conf = _configured()
        prepare(conf).db.close()
    except settings.ConfigurationError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(service.EXIT_CONFIGURATION)
    service.notify("READY=1")
    serve("controller.main.api:create_app", str(conf.api.bind or conf.my_ip), conf.api.port)


@functools.cache
def _configured() -> cfg.ConfigOpts:
    """The settings, read once a process; a forked worker has its parent's."""
    log.register(cfg.CONF)
    cfg.CONF.register_opts(OPTIONS, group="api")
    return settings.load("controller-api")


def _poke(bus: Bus) -> Any:
    """Tells an engine that there is work; if none hears it, the next tick finds it."""

    def poke() -> None:
        faultpoint.point("api.poke.before")
        try:
            bus.cast((topics.ENGINE, None), "poke", Nothing())
        except BusError as error:
            LOG.warning("engine was not told of a change, its tick will find it: %s", error)

    return poke
