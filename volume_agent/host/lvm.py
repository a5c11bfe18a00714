"""LVM's commands: arguments in, values out of their JSON."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

#: Runs a command and gives its standard output. Tests put a pretended LVM here.
Runner = Callable[[list[str]], str]
_TIMEOUT_S = 120.0


class LvmError(Exception):
    """A command failed: the message is LVM's."""


class NoExtentsError(LvmError):
    """The volume group or the thin pool is full."""


class NotFoundError(LvmError):
    """No such volume."""


@dataclass(frozen=True)
class LogicalVolume:
    """A row of ``lvs``; ``used_percent`` only counts for thin pools."""

    name: str
    size_bytes: int
    used_percent: float = 0.0


def run(command: list[str]) -> str:
    """Runs LVM for real. Raises LvmError."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S, env={"LC_ALL": "C"}
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LvmError(f"{command[0]}: {error}") from error
    if done.returncode:
        raise _error(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout


class Lvm:
    """One volume group. Raises LvmError."""

    def __init__(self, group: str, runner: Runner = run) -> None:
        self._group = group
        self._run = runner

    def volumes(self) -> list[LogicalVolume]:
        """All logical volumes of the group."""
        columns = "lv_name,lv_size,data_percent"
        return [
            LogicalVolume(row["lv_name"], int(row["lv_size"]), float(row["data_percent"] or 0))
            for row in self._report("lvs", "lv", columns)
        ]

    def size(self, name: str) -> int | None:
        """A volume's size in bytes, None if there is none."""
        return next((volume.size_bytes for volume in self.volumes() if volume.name == name), None)

    def group_size(self) -> tuple[int, int]:
        """Total and free bytes of the group."""
        row = self._report("vgs", "vg", "vg_size,vg_free")[0]
        return int(row["vg_size"]), int(row["vg_free"])

    def create_thin(self, name: str, size_bytes: int, pool: str) -> None:
        """A thin volume: its unwritten blocks read zeros, as pools zero what they hand out."""
        size = ["--virtualsize", f"{size_bytes}b"]
        self._run(["lvcreate", "--yes", "--thin", *size, "--name", name, f"{self._group}/{pool}"])

    def create_thick(self, name: str, size_bytes: int) -> None:
        """A thick volume, with whatever its extents held before."""
        self._run(
            [
                "lvcreate",
                "--yes",
                "--wipesignatures",
                "n",
                "--size",
                f"{size_bytes}b",
                "--name",
                name,
                self._group,
            ]
        )

    def rename(self, name: str, new_name: str) -> None:
        """Gives a volume another name."""
        self._run(["lvrename", self._group, name, new_name])

    def extend(self, name: str, size_bytes: int) -> None:
        """Makes a volume larger."""
        self._run(["lvextend", "--size", f"{size_bytes}b", f"{self._group}/{name}"])

    def remove(self, name: str) -> None:
        """Takes a volume away; a thin one's blocks go back to the pool."""
        self._run(["lvremove", "--yes", f"{self._group}/{name}"])

    def zero(self, name: str) -> None:
        """Overwrites a whole volume with zeros, by the device's own means where it has any."""
        self._run(["blkdiscard", "--zeroout", self.device(name)])

    def device(self, name: str) -> str:
        """The device's path."""
        return f"/dev/{self._group}/{name}"

    def _report(self, command: str, row: str, columns: str) -> list[dict[str, str]]:
        form = ["--reportformat", "json", "--units", "b", "--nosuffix", "--options", columns]
        text = self._run([command, *form, self._group])
        rows: list[dict[str, str]] = json.loads(text)["report"][0][row]
        return rows


def _error(message: str) -> LvmError:
    low = message.lower()
    if "insufficient free space" in low or "out of data space" in low or "not enough free" in low:
        return NoExtentsError(message)
    if "failed to find logical volume" in low:
        return NotFoundError(message)
    return LvmError(message)
