"""Volumes as sparse files: for hosts without device-mapper, and for labs.

A file's blocks read zeros until written, and an unlinked file's are the file system's to clear: wiping is
unlinking.
"""

import contextlib
import errno
import os
import pathlib
import uuid
from collections.abc import Iterator

from oslo_config import cfg

from volume_agent.backends.interface import Backend, BackendError, Capacity, NoSpaceError

OPTIONS = [
    cfg.StrOpt("volume_dir", help="Directory of the volumes' files; 'volumes' under state_path if not set."),
]
_PARTIAL = ".part"


class FileBackend(Backend):
    """One file a volume, named by its id, mode 0600."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def find(self, volume_id: str) -> int | None:
        with contextlib.suppress(FileNotFoundError):
            return self.path(volume_id).stat().st_size
        return None

    def volumes(self) -> dict[str, int]:
        return {entry.name: entry.stat().st_size for entry in self._directory.iterdir() if _is_id(entry.name)}

    def path(self, volume_id: str) -> pathlib.Path:
        return self._directory / str(uuid.UUID(volume_id))

    def make(self, volume_id: str, size_bytes: int) -> None:
        self.prepare(volume_id, size_bytes)
        self.finish(volume_id)

    def prepare(self, volume_id: str, size_bytes: int) -> pathlib.Path:
        partial = self._partial(volume_id)
        self.discard(volume_id)
        with _errors():
            descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.ftruncate(descriptor, size_bytes)
            finally:
                os.close(descriptor)
        return partial

    def finish(self, volume_id: str) -> None:
        with _errors():
            _sync(self._partial(volume_id), os.O_RDWR)
            self._partial(volume_id).rename(self.path(volume_id))
            _sync(self._directory, os.O_DIRECTORY)

    def discard(self, volume_id: str) -> None:
        with _errors():
            self._partial(volume_id).unlink(missing_ok=True)

    def grow(self, volume_id: str, size_bytes: int) -> None:
        with _errors():
            if self.path(volume_id).stat().st_size < size_bytes:
                os.truncate(self.path(volume_id), size_bytes)

    def wipe(self, volume_id: str) -> None:
        self.discard(volume_id)
        with _errors():
            self.path(volume_id).unlink(missing_ok=True)
            _sync(self._directory, os.O_DIRECTORY)

    def capacity(self) -> Capacity:
        with _errors():
            seen = os.statvfs(self._directory)
        return Capacity(total=seen.f_blocks * seen.f_frsize, free=seen.f_bavail * seen.f_frsize)

    def _partial(self, volume_id: str) -> pathlib.Path:
        return self.path(volume_id).with_suffix(_PARTIAL)


def _is_id(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False


def _sync(path: pathlib.Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        kind = NoSpaceError if error.errno in (errno.ENOSPC, errno.EDQUOT) else BackendError
        raise kind(str(error)) from error
