"""A group of processes that may have so much memory and no more, page cache included, without swap.

Whichever version of cgroups has the controller of memory on this machine is used.
"""

import dataclasses
import pathlib
import subprocess

_MIB = 1 << 20
#: Where the first version's hierarchy is mounted, if it is to be.
_V1 = pathlib.Path("/run/cumulet-test-memory")


@dataclasses.dataclass(frozen=True)
class _Files:
    limit: str
    swap: str
    usage: str
    most: str
    events: str


_NAMES = {
    1: _Files(
        "memory.limit_in_bytes",
        "memory.memsw.limit_in_bytes",
        "memory.usage_in_bytes",
        "memory.max_usage_in_bytes",
        "memory.oom_control",
    ),
    2: _Files("memory.max", "memory.swap.max", "memory.current", "memory.peak", "memory.events"),
}


class MemoryLimit:
    """Of ``group``, a group of the second version, or of one of the first with its name."""

    def __init__(self, group: pathlib.Path, limit_mib: int) -> None:
        root = group.parent
        self._version = 2 if "memory" in (root / "cgroup.controllers").read_text().split() else 1
        self._files = _NAMES[self._version]
        if self._version == 2:
            (root / "cgroup.subtree_control").write_text("+memory")
            self._group = group
        else:
            self._group = _hierarchy() / group.name
            self._group.mkdir()
        self._write(self._files.limit, limit_mib * _MIB)
        if (self._group / self._files.swap).exists():
            self._write(self._files.swap, limit_mib * _MIB if self._version == 1 else 0)

    def take(self, pid: int) -> None:
        """A process, and what it will start."""
        self._write("cgroup.procs", pid)

    def usage_mib(self) -> int:
        """Now."""
        return self._read(self._files.usage)

    def most_mib(self) -> int:
        """Since the group was made."""
        return self._read(self._files.most)

    def killed(self) -> int:
        """How many processes were ended for want of memory."""
        lines = (self._group / self._files.events).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def remove(self) -> None:
        """When its processes are gone."""
        if self._version == 1:
            self._group.rmdir()

    def _read(self, name: str) -> int:
        return int((self._group / name).read_text()) // _MIB

    def _write(self, name: str, value: int) -> None:
        (self._group / name).write_text(str(value))


def _hierarchy() -> pathlib.Path:
    if not (_V1 / "cgroup.procs").exists():
        _V1.mkdir(exist_ok=True)
        command = ["mount", "-t", "cgroup", "-o", "memory", "memory", str(_V1)]
        subprocess.run(command, check=True, capture_output=True)
    return _V1
