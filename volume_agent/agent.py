"""The volume agent: wiring of backend, exporter and handlers. Started as ``volume-agent``."""

import runtime.lean  # noqa: F401,I001 - first, so that nothing heavy is imported by what follows

import contextlib
import pathlib

from oslo_config import cfg

from contract.document import Key
from runtime import service, settings
from runtime.reconcile.host_agent import HostAgent, HostKey, Parts
from volume_agent import observe, transfer
from volume_agent.apply import ExportHandler, VolumeHandler
from volume_agent.backends import file as file_backend
from volume_agent.backends import lvm as lvm_backend
from volume_agent.backends.interface import Backend
from volume_agent.exports import tgt
from volume_agent.exports.watch import TgtWatch
from volume_agent.host.lvm import Lvm
from volume_agent.host.tgtadm import Tgtadm

NAME = "volume-agent"

OPTIONS = [
    cfg.StrOpt("volume_backend", default="default", help="Name of this host's backend in the cloud."),
    cfg.StrOpt("volume_driver", default="file", choices=["file", "lvm"], help="How volumes are kept."),
    cfg.PortOpt("iscsi_port", default=3260, help="Port on storage_ip where tgtd serves initiators."),
    *file_backend.OPTIONS,
    *lvm_backend.OPTIONS,
    *tgt.OPTIONS,
    *transfer.OPTIONS,
]


def main() -> None:
    """Runs the agent until it is told to stop."""
    cfg.CONF.register_opts(OPTIONS)
    service.run(NAME, start)


def start(conf: cfg.ConfigOpts, stack: contextlib.ExitStack) -> None:
    """Brings the agent up."""
    conf.register_opts(OPTIONS)
    agent = HostAgent(conf, NAME)
    backend = _backend(conf)
    socket = pathlib.Path(conf.tgt_socket)
    exporter = tgt.TgtExporter(Tgtadm(socket), conf.tgt_flags)
    filler = transfer.Transfer(conf, HostKey(conf).key, settings.state_dir(conf, NAME, "images"))
    identity = observe.Identity(
        conf.volume_backend, f"{settings.storage_ip(conf)}:{conf.iscsi_port}", str(conf.my_ip)
    )
    volumes = VolumeHandler((conf.volume_backend, backend), filler, exporter, agent.ledger, agent.poke)
    exports = ExportHandler(backend, exporter, identity.portal, agent.ledger, agent.poke)
    parts = Parts(
        handlers={"volume": volumes, "export": exports},
        describe=lambda: (observe.describe(identity, backend), {}),
        inspect=lambda: observe.inspect(agent.ledger, backend, exporter),
        order=("volume", "export"),
    )
    agent.start(parts, stack)
    watch = TgtWatch(Tgtadm(socket), socket, lambda: agent.poke(_export_keys(agent)))
    watch.start()
    stack.callback(watch.stop)


def _export_keys(agent: HostAgent) -> list[Key]:
    return [envelope.key for envelope in agent.ledger.documents("export")]


def _backend(conf: cfg.ConfigOpts) -> Backend:
    if conf.volume_driver == "lvm":
        return lvm_backend.LvmBackend(Lvm(conf.volume_group), conf.thin_pool)
    directory = conf.volume_dir or settings.state_dir(conf, "volumes")
    return file_backend.FileBackend(pathlib.Path(directory))


if __name__ == "__main__":
    main()
