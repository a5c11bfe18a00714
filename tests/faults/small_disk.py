"""A directory of the cloud on a small disk of its own, which can be full and have room again."""

import contextlib
import os
import pathlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from tests.faults.cloud import output_of

#: No name of an image or volume: those that nobody needs may go.
_FILLER = "filler.bin"
_MIB = 1 << 20


@dataclass(frozen=True)
class SmallDisk:
    """The disk under ``path``."""

    path: pathlib.Path

    def fill(self, but_mib: int = 0) -> None:
        """Leaves only so much room."""
        seen = os.statvfs(self.path)
        size = seen.f_bavail * seen.f_frsize - but_mib * _MIB
        with (self.path / _FILLER).open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)

    def give_room(self) -> None:
        """Takes away what filled it."""
        (self.path / _FILLER).unlink(missing_ok=True)

    def files(self) -> set[str]:
        """What else is on it."""
        return {str(path.relative_to(self.path)) for path in self.path.rglob("*")} - {_FILLER}


@contextlib.contextmanager
def small(path: pathlib.Path, mib: int) -> Iterator[SmallDisk]:
    """Puts an empty disk of so many MiB over ``path``: what is there is hidden meanwhile."""
    output_of("mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=755", "tmpfs", str(path))
    try:
        yield SmallDisk(path)
    finally:
        output_of("umount", str(path))


@contextlib.contextmanager
def moved(path: pathlib.Path, mib: int) -> Iterator[SmallDisk]:
    """Moves all of ``path`` to a disk of so many MiB, and back. Nobody may have its files open at both ends."""
    kept = path.with_name(f"{path.name}.kept")
    shutil.copytree(path, kept)
    with small(path, mib) as disk:
        shutil.copytree(kept, path, dirs_exist_ok=True)
        try:
            yield disk
        finally:
            disk.give_room()
            shutil.rmtree(kept)
            shutil.copytree(path, kept)
    shutil.rmtree(path)
    kept.rename(path)
