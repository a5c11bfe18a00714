"""What a full disk means to a server: another host for a new one, patience for one that ran."""

import errno
import os
import pathlib
import types
from collections.abc import Callable

import pytest

from contract.report import Fault
from nova_compute import faults
from nova_compute.host.limited import ProgramError
from nova_compute.server_files import NoRoomError, ServerFiles
from runtime.reconcile.outcome import Failed

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
TOOL_FULL = ProgramError("qemu-img ended with 1: Could not write: No space left on device")


class Cache:
    """An image cache that cannot make an image ready."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def make_ready(self, *_: object) -> int:
        raise self._error


@pytest.fixture
def files(tmp_path: pathlib.Path) -> Callable[[Exception], ServerFiles]:
    return lambda error: ServerFiles(tmp_path, Cache(error))  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [FULL, TOOL_FULL])
def test_new_server_finds_no_room(
    files: Callable[[Exception], ServerFiles], make: types.SimpleNamespace, error: Exception
) -> None:
    with pytest.raises(NoRoomError):
        files(error).make(make.server(), has_run=False)


def test_the_host_says_so(files: Callable[[Exception], ServerFiles], make: types.SimpleNamespace) -> None:
    with pytest.raises(Failed) as refused, faults.told():
        files(FULL).make(make.server(), has_run=False)
    assert refused.value.fault == Fault(message="The disk of the host is full.", details=str(FULL))


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, os.strerror(errno.EIO)), ProgramError("qemu-img ended with 1: no")]
)
def test_other_trouble_passes(
    files: Callable[[Exception], ServerFiles], make: types.SimpleNamespace, error: Exception
) -> None:
    with pytest.raises(type(error)):
        files(error).make(make.server(), has_run=False)


def test_one_that_ran_waits_for_room(
    files: Callable[[Exception], ServerFiles], make: types.SimpleNamespace, tmp_path: pathlib.Path
) -> None:
    server = make.server()
    disk = tmp_path / server.id / "disk"
    disk.parent.mkdir()
    disk.touch()
    with pytest.raises(OSError, match="No space left"):
        files(FULL).make(server, has_run=True)
