"""The files of images: written beside their place, then moved there at once.

A file being written is ``<id>.part`` under an exclusive lock of its writer, which the kernel drops when
the writer dies: whoever gets the lock knows that nobody writes. All controllers share the directory.
"""

import contextlib
import fcntl
import io
import os
import pathlib
import re
from collections.abc import Iterator
from typing import BinaryIO

from controller.web.errors import Conflict

#: Bytes that are read or written at once.
CHUNK = 1 << 20
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Part:
    """A file that is being written by this process alone."""

    def __init__(self, file: io.FileIO, path: pathlib.Path, target: pathlib.Path) -> None:
        self._file = file
        self._path = path
        self._target = target

    def start(self) -> None:
        """Empties it: what an earlier writer left is gone."""
        self._file.seek(0)
        self._file.truncate()

    def write(self, chunk: bytes) -> None:
        """Adds bytes; all of them, or it raises OSError."""
        view = memoryview(chunk)
        while view:
            view = view[self._file.write(view) :]

    def publish(self) -> None:
        """Puts it on disk and in its place. It keeps its first name too: that one carries the lock."""
        os.fsync(self._file.fileno())
        self._target.unlink(missing_ok=True)
        os.link(self._path, self._target)
        directory = os.open(self._target.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def drop(self) -> None:
        """Gives up the first name: nothing is left, unless it was published."""
        self._path.unlink(missing_ok=True)


class ImageStore:
    """A directory of image files. Ids are checked by the caller: they come from rows."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory

    def open(self, image_id: str) -> BinaryIO:
        """An image's bytes. Raises FileNotFoundError."""
        return self._place(image_id).open("rb", buffering=0)

    @contextlib.contextmanager
    def writing(self, image_id: str, staged: bool = False) -> Iterator[Part]:
        """The image's file (or what is staged for it) to be written; dropped unless published.

        Raises Conflict while another one writes it.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"{image_id}.part"
        with io.FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640), "r+") as file:
            self._lock(file, path)
            part = Part(file, path, self._place(image_id, staged))
            try:
                yield part
            finally:
                part.drop()

    def import_staged(self, image_id: str) -> None:
        """Moves what was staged to the image's place. Safe to repeat; raises FileNotFoundError."""
        if not (self._place(image_id).exists() and not self._place(image_id, True).exists()):
            self._place(image_id, True).replace(self._place(image_id))

    def remove(self, image_id: str) -> None:
        """Leaves no bytes of the image; who reads them still reads on."""
        self._place(image_id, True).unlink(missing_ok=True)
        self._place(image_id).unlink(missing_ok=True)

    def names(self) -> dict[str, set[str]]:
        """Ids of all images of which there are files, with the endings of their names."""
        found: dict[str, set[str]] = {}
        for path in self.directory.iterdir() if self.directory.exists() else ():
            image_id, _, ending = path.name.partition(".")
            if _ID.fullmatch(image_id):
                found.setdefault(image_id, set()).add(ending)
        return found

    def _place(self, image_id: str, staged: bool = False) -> pathlib.Path:
        return self.directory / (f"{image_id}.staged" if staged else image_id)

    @staticmethod
    def _lock(file: io.FileIO, path: pathlib.Path) -> None:
        """Locks the file, if it is still the one that the path names: its writer may have dropped it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_same = os.stat(path).st_ino == os.fstat(file.fileno()).st_ino
        except OSError:
            is_same = False
        if not is_same:
            raise Conflict("The image's data is being written by another request: wait for its end.")
