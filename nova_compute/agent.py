"""Entry point of ``nova-compute``: wires documents, events and methods to the handler of servers."""

import runtime.lean  # noqa: F401

# isort: split
# The line above is first because it keeps eventlet out of the process.
import contextlib
import functools
import logging

from oslo_config import cfg

from contract import topics
from contract.calls import ConsoleOutput, ConsoleOutputAnswer, Finding, InspectAnswer
from contract.document import Key
from contract.server import Server
from nova_compute import apply, console_log, images, observe, options, virt_type
from nova_compute.domain.machine import Machine
from nova_compute.host import iscsi, kvm
from nova_compute.host.libvirt import Hypervisor, HypervisorError, What
from nova_compute.host.ovsdb import Switch
from nova_compute.inventory import HostDescription
from nova_compute.server_files import ServerFiles
from nova_compute.unused_images import UnusedImages, Users
from nova_compute.volumes import Volumes
from runtime import image_stream, service, settings
from runtime.bus import Method
from runtime.reconcile.host_agent import HostAgent, HostKey, Parts

LOG = logging.getLogger(__name__)

WORKERS = 8


def main() -> None:
    """The program."""
    options.register(cfg.CONF)
    service.run("nova-compute", start)


def start(conf: cfg.ConfigOpts, stack: contextlib.ExitStack) -> None:
    """Brings the agent up. Order: edges, handler, events, and last the line to the controller, so that the
    ledger is applied to a host that can be seen."""
    options.register(conf)
    agent = HostAgent(conf, topics.NOVA_COMPUTE)
    machine = _machine(conf)
    compute = Compute(conf, agent, machine)
    stack.callback(compute.hypervisor.stop)
    stack.callback(compute.switch.stop)
    compute.switch.start()
    compute.hypervisor.start()
    description = HostDescription(conf, compute.hypervisor, machine)
    parts = Parts(
        handlers={Server.KIND: compute.servers},
        describe=description.describe,
        inspect=compute.inspect,
        order=(Server.KIND,),
        methods={"console_output": Method(ConsoleOutput, compute.console_output)},
    )
    agent.start(parts, stack, workers=WORKERS)
    compute.unused_images.start()
    stack.callback(compute.unused_images.stop)


class Compute:
    """The agent's parts, and what they tell each other."""

    def __init__(self, conf: cfg.ConfigOpts, agent: HostAgent, machine: Machine) -> None:
        self._agent = agent
        self.hypervisor = Hypervisor(conf.libvirt_uri, self._on_domain_event, self._poke_all)
        self.switch = Switch(conf.ovs.ovsdb_connection, conf.integration_bridge, self._poke)
        fetch = functools.partial(image_stream.fetch, conf, HostKey(conf).key)
        servers = settings.state_dir(conf, "servers")
        cache = images.ImageCache(
            settings.state_dir(conf, "images"),
            fetch,
            self._poke_many,
            make_room=lambda size_bytes: self.unused_images.make_room(size_bytes),
        )
        self.files = ServerFiles(servers, cache, discarded=lambda: self.unused_images.wake())
        users = Users(agent.ledger, self.hypervisor, servers)
        self.unused_images = UnusedImages(cache, users, conf)
        volumes = Volumes(self.hypervisor, machine.has_host_initiator)
        self.servers = apply.Servers(
            apply.Host(agent.ledger, self.hypervisor, self.switch, self.files, volumes, machine),
            apply.Patience(conf.shutdown_timeout, conf.reboot_timeout, conf.wiring_timeout),
        )

    def inspect(self) -> InspectAnswer:
        """All domains with our mark and all servers' directories, for the doctor."""
        found: dict[str, Finding] = {}
        for server_id in self.files.known():
            found[server_id] = self._finding(server_id, str(self.files.home(server_id)))
        with contextlib.suppress(HypervisorError):
            for domain in self.hypervisor.domains():
                if observe.is_ours(domain):
                    found[domain.uuid] = self._finding(domain.uuid, domain.name)
        return InspectAnswer(findings=tuple(found.values()))

    def console_output(self, request: ConsoleOutput, _host: str) -> ConsoleOutputAnswer:
        """The end of a server's console; only of servers that this agent has a document for."""
        if self._agent.ledger.document(Key(Server.KIND, request.server_id)) is None:
            return ConsoleOutputAnswer(output="")
        path = self.files.console(request.server_id)
        return ConsoleOutputAnswer(output=console_log.tail(path, request.length))

    def _finding(self, server_id: str, place: str) -> Finding:
        key = Key(Server.KIND, server_id)
        is_known = self._agent.ledger.document(key) is not None
        return Finding(kind=key.kind, id=key.id, place=place, is_known=is_known)

    def _on_domain_event(self, server_id: str, what: What) -> None:
        if what == "shutdown-by-host":
            self.servers.stopped_by_host(server_id)
        else:
            self._poke(server_id)

    def _poke(self, server_id: str) -> None:
        self._agent.poke([Key(Server.KIND, server_id)])

    def _poke_many(self, server_ids: set[str]) -> None:
        self._agent.poke([Key(Server.KIND, server_id) for server_id in sorted(server_ids)])

    def _poke_all(self) -> None:
        self._agent.poke([e.key for e in self._agent.ledger.documents(Server.KIND)])


def _machine(conf: cfg.ConfigOpts) -> Machine:
    probe = functools.partial(kvm.runs_guests, conf.kvm_probe_timeout)
    found = virt_type.decide(conf.virt_type, settings.state_dir(conf) / "virt_type.json", probe)
    return Machine(
        virt_type=found,
        machine_type=conf.machine_type,
        cpu_mode=conf.cpu_mode,
        cpu_model=conf.cpu_model,
        tcg_cache_mib=conf.tcg_cache_mib,
        is_vnc_enabled=conf.vnc_enabled,
        bridge=conf.integration_bridge,
        has_host_initiator=_has_host_initiator(conf),
        initiator=iscsi.initiator() or f"iqn.2026-01.org.cumulet:{conf.host}",
    )


def _has_host_initiator(conf: cfg.ConfigOpts) -> bool:
    if conf.volume_initiator == "auto":
        return iscsi.is_usable()
    return bool(conf.volume_initiator == "host")
