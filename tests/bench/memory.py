"""How many processes of ours there are, and what they hold: PSS, which counts shared pages once."""

import pathlib
import re
from collections.abc import Iterator

from lab.up import profile
from tests.bench.cloud import PID_FILES, Cloud
from tests.bench.result import Result

_BAR_MIB, _BAR_PROCESSES = 350.0, 10.0


def measure(_cloud: Cloud) -> Iterator[Result]:
    """Our programs, their supervisor, and the DHCP servers; not libvirt, the switch, MariaDB and RabbitMQ."""
    ours = ("supervisord", *profile.programs())
    held = {name: _pss_mib(int((PID_FILES / f"{name}.pid").read_text())) for name in ours}
    servers = [_pss_mib(pid) for pid in _dhcp_servers()]
    parts = ", ".join(f"{name} {mib:.0f}" for name, mib in held.items())
    total = sum(held.values()) + sum(servers)
    yield Result("own processes, PSS", total, "MiB", _BAR_MIB, f"{parts}, dnsmasq {sum(servers):.0f}")
    yield Result("own processes", len(held) + len(servers), "processes", _BAR_PROCESSES)


def _pss_mib(pid: int) -> float:
    found = re.search(r"^Pss:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    return int(found[1]) / 1024 if found else 0.0


def _dhcp_servers() -> list[int]:
    names = pathlib.Path("/proc").glob("[0-9]*/comm")
    return [int(path.parent.name) for path in names if path.read_text().strip() == "dnsmasq"]
