"""How many processes of ours there are, and what they hold: PSS, which counts shared pages once."""

import pathlib
import re
from collections.abc import Iterator

from lab.up import profile
from tests.bench.cloud import PID_FILES, Cloud
from tests.bench.result import Result

_BARS_MIB = {profile.FULL: 350.0, profile.EMBEDDED: 160.0}
#: In the embedded profile one, its supervisor, and a DHCP server for each network in use.
_BARS_PROCESSES = {profile.FULL: 10.0, profile.EMBEDDED: 3.0}


def measure(_cloud: Cloud) -> Iterator[Result]:
    """After the other parts: some boots and ten thousand requests."""
    total, _, parts = _ours()
    yield Result("own processes, PSS, after the other parts", total, "MiB", note=parts)


def measure_idle(_cloud: Cloud) -> Iterator[Result]:
    """After a start, which is the part before this one."""
    total, count, parts = _ours()
    yield Result("own processes, PSS, after a start", total, "MiB", _BARS_MIB[profile.current()], parts)
    yield Result("own processes", count, "processes", _BARS_PROCESSES[profile.current()])


def _ours() -> tuple[float, int, str]:
    """Our programs, their supervisor, and the DHCP servers; not libvirt, the switch, MariaDB and RabbitMQ."""
    ours = ("supervisord", *profile.programs())
    held = {name: _pss_mib(int((PID_FILES / f"{name}.pid").read_text())) for name in ours}
    servers = [_pss_mib(pid) for pid in _dhcp_servers()]
    parts = ", ".join(f"{name} {mib:.0f}" for name, mib in held.items())
    total = sum(held.values()) + sum(servers)
    return total, len(held) + len(servers), f"{parts}, dnsmasq {sum(servers):.0f}"


def _pss_mib(pid: int) -> float:
    found = re.search(r"^Pss:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    return int(found[1]) / 1024 if found else 0.0


def _dhcp_servers() -> list[int]:
    names = pathlib.Path("/proc").glob("[0-9]*/comm")
    return [int(path.parent.name) for path in names if path.read_text().strip() == "dnsmasq"]
