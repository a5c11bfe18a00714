"""Backends for the compliance suite: files, LVM as a pretended one, and a real one where there is a group."""

import json
import os
import pathlib
from collections.abc import Iterator

import pytest

from volume_agent.backends.file import FileBackend
from volume_agent.backends.interface import Backend
from volume_agent.backends.lvm import LvmBackend
from volume_agent.host import lvm

POOL = "pool"
GROUP_SIZE = 1 << 40


class FakeLvm(lvm.Lvm):
    """A volume group made of sparse files; what a thick volume gets is dirty, as real extents may be."""

    def __init__(self, directory: pathlib.Path) -> None:
        super().__init__("vg", self._pretend)
        self._directory = directory
        (directory / POOL).touch()

    def device(self, name: str) -> str:
        return str(self._directory / name)

    def _pretend(self, command: list[str]) -> str:
        return str(getattr(self, f"_{command[0]}")(command))

    def _lvs(self, command: list[str]) -> str:
        rows = [
            {"lv_name": p.name, "lv_size": str(p.stat().st_size), "data_percent": ""}
            for p in self._directory.iterdir()
        ]
        return json.dumps({"report": [{"lv": rows}]})

    def _vgs(self, command: list[str]) -> str:
        return json.dumps(
            {"report": [{"vg": [{"vg_size": str(GROUP_SIZE), "vg_free": str(GROUP_SIZE // 2)}]}]}
        )

    def _lvcreate(self, command: list[str]) -> str:
        size = int(next(word for word in command if word[:-1].isdigit()).removesuffix("b"))
        if size > GROUP_SIZE and "--thin" not in command:
            raise lvm.NoExtentsError("insufficient free space")
        path = self._directory / command[command.index("--name") + 1]
        if path.exists():
            raise lvm.LvmError("already exists")
        path.write_bytes(b"" if "--thin" in command else b"former owner")
        os.truncate(path, size)
        return ""

    def _lvrename(self, command: list[str]) -> str:
        (self._directory / command[2]).rename(self._directory / command[3])
        return ""

    def _lvextend(self, command: list[str]) -> str:
        os.truncate(self._directory / command[-1].rpartition("/")[2], int(command[2].removesuffix("b")))
        return ""

    def _lvremove(self, command: list[str]) -> str:
        path = self._directory / command[-1].rpartition("/")[2]
        if not path.exists():
            raise lvm.NotFoundError("Failed to find logical volume")
        path.unlink()
        return ""

    def _blkdiscard(self, command: list[str]) -> str:
        path = pathlib.Path(command[-1])
        size = path.stat().st_size
        path.write_bytes(b"")
        os.truncate(path, size)
        return ""


#: ``group/pool`` or ``group`` of LVM for tests to use. The kernel of a container has none, so where it is
#: not named there is one variant less.
REAL_GROUP = os.environ.get("CUMULET_TEST_GROUP", "")
BACKENDS = ("file", "lvm-thin", "lvm-thick", *(("lvm-real",) if REAL_GROUP else ()))


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[Backend]:
    """Each backend."""
    if request.param == "file":
        yield FileBackend(tmp_path / "volumes")
    elif request.param == "lvm-real":
        group, _, pool = REAL_GROUP.partition("/")
        yield LvmBackend(lvm.Lvm(group), pool)
    else:
        yield LvmBackend(FakeLvm(tmp_path), POOL if request.param == "lvm-thin" else "")
