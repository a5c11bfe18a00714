"""Runs as a program: the volume agent's handlers over a ledger, without a controller.

``inside.py STATE_DIR TGT_SOCKET IMAGE_URL`` applies what the ledger says, prints one line a report and ends
when nothing is left to do. With CUMULET_FAULTS set it is killed where a test wants it.
"""

import pathlib
import sys

from oslo_config import cfg

from contract.document import Key
from contract.report import Report
from runtime import settings
from runtime.reconcile.ledger import Ledger
from runtime.reconcile.loop import Loop
from volume_agent import transfer
from volume_agent.apply import ExportHandler, VolumeHandler
from volume_agent.backends.file import FileBackend
from volume_agent.exports.tgt import TgtExporter
from volume_agent.host.tgtadm import Tgtadm

PORTAL = "127.0.0.1:33261"


class Host:
    """Ledger, handlers and loop of one pretended host."""

    def __init__(self, state: pathlib.Path, socket: pathlib.Path, image_url: str) -> None:
        conf = cfg.ConfigOpts()
        settings.register(conf)
        conf.register_opts(transfer.OPTIONS)
        conf([], default_config_files=[])
        conf.set_override("image_endpoint", image_url)
        (state / "images").mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger(state / "ledger.db")
        self.backend = FileBackend(state / "volumes")
        self.exporter = TgtExporter(Tgtadm(socket), "")
        filler = transfer.Transfer(conf, lambda _host: b"key", state / "images")
        self.volumes = VolumeHandler(("b", self.backend), filler, self.exporter, self.ledger, self.poke)
        self.exports = ExportHandler(self.backend, self.exporter, PORTAL, self.ledger, self.poke)
        self.reports: list[Report] = []
        handlers = {"volume": self.volumes, "export": self.exports}
        self.loop = Loop(self.ledger, handlers, lambda key: None, self.reports.append)

    def poke(self, keys: list[Key]) -> None:
        """As HostAgent does."""
        self.loop.poke(keys)


def main() -> None:
    """Applies the ledger once."""
    state, socket, url = sys.argv[1:]
    host = Host(pathlib.Path(state), pathlib.Path(socket), url)
    host.loop.start()
    host.loop.poke(host.ledger.keys())
    host.loop.wait_idle(30)
    for report in host.reports:
        print(report.kind, report.state, report.fault.message if report.fault else "")
    host.loop.stop()


if __name__ == "__main__":
    main()
