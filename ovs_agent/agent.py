"""The agent's wiring: edges, handlers by kind, events of OVSDB and of processes, what is told of the host."""

import runtime.lean  # noqa: F401

# isort: split
# The line above is first because it keeps eventlet out: ovs.poller would import it.
import contextlib
import importlib.metadata
import pathlib
from collections.abc import Callable

from oslo_config import cfg

from contract.calls import InspectAnswer, TracePacket
from contract.document import Key
from contract.report import Capabilities, Inventory
from contract.topics import OVS_AGENT
from ovs_agent import keeper, lacking, metadata_answers, observe, options
from ovs_agent.apply import Applier, Edges
from ovs_agent.desired import Desired
from ovs_agent.handlers import (
    AddressGroupHandler,
    InstanceDataHandler,
    NetworkHandler,
    PortHandler,
    RouterHandler,
    SecurityGroupHandler,
    SegmentHandler,
)
from ovs_agent.host.changes import Changes
from ovs_agent.host.ovsdb import Interface, Ovsdb, OvsdbError
from ovs_agent.host.processes import Processes
from ovs_agent.keeper import Keeper
from ovs_agent.metadata_server import MetadataServer
from ovs_agent.routers import Routers
from ovs_agent.services import Services
from ovs_agent.switch import Switch
from ovs_agent.trace import Tracer
from runtime import service, settings
from runtime.bus import Method
from runtime.reconcile.host_agent import HostAgent, Parts
from runtime.reconcile.ledger import Ledger
from runtime.reconcile.outcome import Handler

#: Kinds in the order in which they are applied at start.
ORDER = ("segment", "security_group", "address_group", "network", "instance_data", "router", "port")


def main() -> None:
    """Runs the agent until it is told to stop."""
    options.register(cfg.CONF)
    service.run(OVS_AGENT, start)


def start(conf: cfg.ConfigOpts, stack: contextlib.ExitStack) -> None:
    """Brings everything up under the controller's word."""
    agent = HostAgent(conf, OVS_AGENT)
    agent.start(build(conf, agent.ledger, agent.poke, stack), stack)


def build(
    conf: cfg.ConfigOpts, ledger: Ledger, poke: Callable[[list[Key]], None], stack: contextlib.ExitStack
) -> Parts:
    """The agent's parts on this host, with the switch filled from the ledger if it is there.

    The flows, namespaces and dnsmasq stay when the stack unwinds: an agent's restart moves no packet.
    """
    options.register(conf)
    own = conf[options.GROUP]
    desired = Desired(ledger)
    switch, processes = Switch(), Processes()
    stack.callback(processes.stop)
    events = _Events(poke)
    database = _connect(str(own.ovsdb_connection), events.changed)
    stack.callback(database.close)
    server = MetadataServer(lambda request: metadata_answers.answer(desired, request))
    stack.callback(server.stop)
    root = settings.state_dir(conf, "dhcp")
    changes = Changes(lambda namespaces: poke(observe.keys_of(namespaces)))
    stack.callback(changes.stop)
    edges = Edges(database, switch, server, processes, changes, root.joinpath)
    applier = Applier(desired, edges, poke)
    resolvers = tuple(str(address) for address in own.dns_servers)
    services = Services(desired, edges, applier, resolvers)
    routers = Routers(desired, edges, applier)
    handlers: dict[str, Handler] = {
        "segment": SegmentHandler(desired, switch, services, poke),
        "security_group": SecurityGroupHandler(switch),
        "address_group": AddressGroupHandler(switch),
        "network": NetworkHandler(desired, database, switch, services, poke),
        "instance_data": InstanceDataHandler(),
        "router": RouterHandler(routers),
        "port": PortHandler(desired, edges, services, applier, poke),
    }
    told = _Told(conf)
    watch = Keeper(
        desired,
        database,
        switch,
        processes,
        pathlib.Path(own.vswitchd_pid_file),
        lambda: poke(keeper.every_key(desired)),
    )
    events.keeper = watch
    cache = settings.state_dir(conf, OVS_AGENT) / "datapath"
    tunnel_ip = settings.tunnel_ip(conf)
    make = keeper.bridge_maker(database, str(own.datapath_type), tunnel_ip, cache, told.datapath)
    watch.start(make, own.bridge_mappings)
    stack.callback(watch.stop)
    return Parts(
        handlers=handlers,
        describe=told.describe,
        inspect=lambda: InspectAnswer(
            findings=(*observe.findings(database, desired), *lacking.findings(desired, services, routers))
        ),
        order=ORDER,
        methods={"trace_packet": Method(TracePacket, Tracer(desired, database, switch).trace)},
    )


class _Events:
    """What a changed row of OVSDB sets off. Called on the thread that owns the IDL: only queues."""

    def __init__(self, poke: Callable[[list[Key]], None]) -> None:
        self._poke = poke
        self.keeper: Keeper | None = None

    def changed(self, before: Interface | None, after: Interface | None) -> None:
        """Pokes whoever the row belongs to."""
        if keys := observe.changed_keys(before, after):
            self._poke(keys)
        if self.keeper is not None:
            self.keeper.doubt(before, after)


class _Told:
    """What the controller is told of this host."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._datapath_type = ""

    def datapath(self, kind: str) -> None:
        """The datapath was chosen."""
        self._datapath_type = kind

    def describe(self) -> tuple[Capabilities, dict[str, Inventory]]:
        """Capabilities; networks need no inventory."""
        capabilities = Capabilities(
            version=importlib.metadata.version("cumulet"),
            tunnel_ip=settings.tunnel_ip(self._conf),
            datapath_type=self._datapath_type,
            bridge_mappings=dict(self._conf[options.GROUP].bridge_mappings),
        )
        return capabilities, {}


def _connect(remote: str, changed: Callable[[Interface | None, Interface | None], None]) -> Ovsdb:
    try:
        return Ovsdb(remote, changed)
    except OvsdbError as error:
        raise settings.NotYetError(
            f"{error}. Start openvswitch, or correct [ovs] ovsdb_connection."
        ) from error
