"""The whole API on one page: services, and the rules of policy, that the slices bring."""

from oslo_config import cfg
from oslo_policy.policy import RuleDefault

from controller.compute import policies as compute_policies
from controller.compute import routes as compute_routes
from controller.identity import policies as identity_policies
from controller.identity import routes as identity_routes
from controller.identity import tools as identity_tools
from controller.identity.tokens.validate import authenticate
from controller.image import policies as image_policies
from controller.image import routes as image_routes
from controller.main.agent_calls import AgentCalls
from controller.main.images import is_image_in_use, may_read_image
from controller.main.process import Process
from controller.network import policies as network_policies
from controller.network import routes as network_routes
from controller.placement import policies as placement_policies
from controller.placement import routes as placement_routes
from controller.volume import policies as volume_policies
from controller.volume import routes as volume_routes
from controller.web import app as web
from controller.web.app import Service
from controller.web.health import health_app
from controller.web.policy import Policy
from controller.web.resource import Cloud
from runtime.bus import Bus

OPTIONS = [
    cfg.PortOpt("port", default=5000, help="Port on which the services listen."),
    cfg.StrOpt("bind", help="Address on which the services listen; my_ip when not given."),
    cfg.IntOpt("threads", default=8, min=1, help="Requests that are worked on side by side."),
    cfg.ListOpt("services", default=[], help="Services of this process; empty for all."),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Makes the options of what serves the API known to ``conf``; safe to repeat."""
    conf.register_opts(OPTIONS, group="api")


SERVICES: list[Service] = [
    identity_routes.SERVICE,
    image_routes.SERVICE,
    image_routes.INTERNAL_SERVICE,
    placement_routes.SERVICE,
    network_routes.SERVICE,
    volume_routes.SERVICE,
    compute_routes.SERVICE,
]

RULES: list[RuleDefault] = [
    *identity_policies.RULES,
    *image_policies.RULES,
    *placement_policies.RULES,
    *network_policies.RULES,
    *volume_policies.RULES,
    *compute_policies.RULES,
]


def assemble(process: Process, bus: Bus, wanted: frozenset[str] = frozenset()) -> web.WsgiApp:
    """Every service with what it needs, mounted by path; only those ``wanted``, if any are named."""
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
    apps = [(s.prefix, web.build(s, cloud, check)) for s in SERVICES if not wanted or s.name in wanted]
    return web.mount(apps, health_app(process.db))
