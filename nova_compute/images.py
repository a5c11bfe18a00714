"""Images on this host: streamed once, verified, inspected, and then shared by the overlays of servers.

An image is judged by its bytes before any other program reads it: format as declared, no backing file,
no data file, nothing that names a path of this host. What QEMU should not run from is rewritten as qcow2.
"""

import contextlib
import logging
import os
import pathlib
import threading
import time
from collections.abc import Callable

import msgspec
from oslo_utils.imageutils import format_inspector

from contract.server import BootImage
from nova_compute.host import qemu_img
from runtime import faultpoint

LOG = logging.getLogger(__name__)

#: Declared format → formats that the bytes may have, and the format in which QEMU reads the cached file.
_RAW = (frozenset({"raw", "gpt"}), "raw")
_FORMATS = {
    "raw": _RAW,
    "ami": _RAW,
    "iso": (frozenset({"iso"}), "raw"),
    "qcow2": (frozenset({"qcow2"}), "qcow2"),
    "vmdk": (frozenset({"vmdk"}), "vmdk"),
    "vdi": (frozenset({"vdi"}), "vdi"),
    "vhd": (frozenset({"vhd"}), "vpc"),
    "vhdx": (frozenset({"vhdx"}), "vhdx"),
}
#: Formats that servers run from as they came; others are rewritten first.
_RUNNABLE = ("raw", "qcow2")
_GIB = 1 << 30

#: Writes image (id, sha512) to a path, verified, or raises: ``runtime.image_stream.fetch``.
Fetch = Callable[[tuple[str, str], pathlib.Path], None]


class ImageRefusedError(Exception):
    """This image must not or cannot be run: the message is for its owner."""


class ImageBusyError(Exception):
    """Another server makes the image ready: whoever asked is told when that ended."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What was verified of a cached file, kept beside it. While size and time of change are the same, so
    is the file: only then the checksum need not be computed again."""

    sha512: str
    size_bytes: int
    mtime_ns: int
    inode: int
    virtual_size: int = 0


def base_format(disk_format: str) -> str:
    """The format in which a server's overlay finds its base."""
    _, qemu_format = _FORMATS.get(disk_format, _RAW)
    return qemu_format if qemu_format in _RUNNABLE else "qcow2"


class ImageCache:
    """``state_path/images``: one file an image, named by its id. Thread-safe."""

    def __init__(
        self,
        directory: pathlib.Path,
        fetch: Fetch,
        ready: Callable[[set[str]], None],
        make_room: Callable[[int], None] = lambda size_bytes: None,
    ) -> None:
        """``ready`` is called with the ids of servers that were told ImageBusyError, when that is over;
        ``make_room`` before so many bytes are streamed."""
        for left_by_a_killed_agent in {*directory.glob("*.part"), *directory.glob("*.new*")}:
            left_by_a_killed_agent.unlink()
        self.directory = directory
        self._fetch = fetch
        self._ready = ready
        self._make_room = make_room
        self._lock = threading.Lock()
        self._waiting: dict[str, set[str]] = {}

    def path(self, image_id: str) -> pathlib.Path:
        """Where the image is, or will be."""
        return self.directory / image_id

    def make_ready(self, image: BootImage, disk_gib: int, server_id: str) -> int:
        """Has the image, fit to run from, at its path; returns its virtual size in bytes.

        Raises ImageBusyError, ImageRefusedError, and what fetching and qemu-img raise.
        """
        with _Turn(self, image.id, server_id):
            size = self._verified_size((image.id, image.sha512))
            if size is None:
                size = self._load(image, disk_gib)
            _check_size(size, disk_gib)
            return size

    def make_plain_ready(self, image: tuple[str, str], server_id: str) -> None:
        """Has a kernel or ramdisk (id, sha512) at its path. Raises as ``make_ready``."""
        with _Turn(self, image[0], server_id):
            if self._verified_size(image) is None:
                path = self.path(image[0])
                self._fetch(image, path)
                self._record(path, image[1])

    def ages(self) -> dict[str, float]:
        """The images that are here, and how many seconds ago each was noted as used."""
        now, found = time.time(), {}
        for path in self.directory.iterdir():
            if path.name == path.stem:
                record = self._record_path(path)
                with contextlib.suppress(FileNotFoundError):  # dropped meanwhile
                    found[path.name] = now - (record if record.exists() else path).stat().st_mtime
        return found

    def note_use(self, image_id: str) -> None:
        """It is used, or was until now."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self._record_path(self.path(image_id)))

    def drop(self, image_id: str, unless: Callable[[str], bool]) -> None:
        """Removes an image ``unless`` it is wanted after all, which is asked while no server can begin with it.

        Raises ImageBusyError.
        """
        with _Turn(self, image_id):
            if not unless(image_id):
                self._record_path(self.path(image_id)).unlink(missing_ok=True)
                self.path(image_id).unlink(missing_ok=True)
                LOG.info("image %s is used by no server: it is removed", image_id)

    def _load(self, image: BootImage, disk_gib: int) -> int:
        target = self.path(image.id)
        fresh = target.with_name(f"{image.id}.new")
        self._make_room(image.size_bytes)
        LOG.info("image %s is streamed", image.id)
        faultpoint.point("compute.image.fetch.before")
        try:
            self._fetch((image.id, image.sha512), fresh)
            size = inspect(fresh, image.disk_format)
            _check_size(size, disk_gib)
            self._make_runnable(fresh, image.disk_format, size)
            fresh.chmod(0o644)
            fresh.replace(target)
        finally:
            fresh.unlink(missing_ok=True)
        self._record(target, image.sha512, size)
        faultpoint.point("compute.image.fetch.after")
        return size

    def _make_runnable(self, path: pathlib.Path, disk_format: str, size: int) -> None:
        _, qemu_format = _FORMATS[disk_format]
        told = qemu_img.info(path, qemu_format)
        if told.backing_file or told.has_data_file:
            raise ImageRefusedError("The image refers to another file. Upload one that stands alone.")
        if qemu_format not in _RUNNABLE:
            converted = path.with_name(f"{path.name}.qcow2")
            try:
                qemu_img.convert(path, qemu_format, converted, size)
                converted.replace(path)
            finally:
                converted.unlink(missing_ok=True)

    def _verified_size(self, image: tuple[str, str]) -> int | None:
        """The virtual size of a cached image that is what it was when verified; None to load it (again).

        A file that was touched is not trusted: its former checksum may be of other bytes than these
        (they may have been rewritten as qcow2), so it is had anew.
        """
        image_id, sha512 = image
        path = self.path(image_id)
        try:
            record = msgspec.json.decode(self._record_path(path).read_bytes(), type=Record)
            seen = path.stat()
        except (OSError, msgspec.MsgspecError):
            return None
        now = (sha512, seen.st_size, seen.st_mtime_ns, seen.st_ino)
        if now == (record.sha512, record.size_bytes, record.mtime_ns, record.inode):
            self.note_use(image_id)
            return record.virtual_size
        LOG.warning("image %s in the cache is not as it was verified: it is streamed again", image_id)
        return None

    def _record(self, path: pathlib.Path, sha512: str, virtual_size: int = 0) -> None:
        seen = path.stat()
        record = Record(
            sha512=sha512,
            size_bytes=seen.st_size,
            mtime_ns=seen.st_mtime_ns,
            inode=seen.st_ino,
            virtual_size=virtual_size,
        )
        fresh = path.with_name(f"{path.name}.json.new")
        fresh.write_bytes(msgspec.json.encode(record))
        fresh.replace(self._record_path(path))

    @staticmethod
    def _record_path(path: pathlib.Path) -> pathlib.Path:
        return path.with_name(f"{path.name}.json")

    def _enter(self, image_id: str, server_id: str | None) -> None:
        with self._lock:
            if image_id in self._waiting:
                if server_id is not None:
                    self._waiting[image_id].add(server_id)
                raise ImageBusyError(image_id)
            self._waiting[image_id] = set()

    def _leave(self, image_id: str) -> None:
        with self._lock:
            waiting = self._waiting.pop(image_id)
        if waiting:
            self._ready(waiting)


class _Turn:
    """One server at a time makes an image ready; the others' workers are not held meanwhile."""

    def __init__(self, cache: ImageCache, image_id: str, server_id: str | None = None) -> None:
        self._cache, self._image_id, self._server_id = cache, image_id, server_id

    def __enter__(self) -> None:
        self._cache._enter(self._image_id, self._server_id)

    def __exit__(self, *_: object) -> None:
        self._cache._leave(self._image_id)


def inspect(path: pathlib.Path, disk_format: str) -> int:
    """Judges the bytes of an image that is said to have ``disk_format``; returns its virtual size.

    Raises ImageRefusedError.
    """
    expected = _FORMATS.get(disk_format)
    if expected is None:
        raise ImageRefusedError(f"Images of format {disk_format!r} cannot be run here.")
    try:
        found = format_inspector.detect_file_format(str(path))
        if found is None or str(found) not in expected[0]:
            raise ImageRefusedError(
                f"The image says it is {disk_format}, its content is {found or 'of no known format'}. "
                "Upload it with its true disk_format."
            )
        found.safety_check()
    except format_inspector.SafetyCheckFailed as error:
        failures = ", ".join(f"{name}: {reason}" for name, reason in error.failures.items())
        raise ImageRefusedError(f"The image is not safe to run ({failures}).") from error
    except format_inspector.ImageFormatError as error:
        raise ImageRefusedError(f"The image's format is ambiguous or broken: {error}.") from error
    # A raw image is as large as its file: the partition table inside says nothing of that.
    return int(path.stat().st_size if expected[1] == "raw" else found.virtual_size)


def _check_size(virtual_size: int, disk_gib: int) -> None:
    if disk_gib and virtual_size > disk_gib * _GIB:
        needed = -(-virtual_size // _GIB)
        raise ImageRefusedError(
            f"The image needs a disk of {needed} GiB, the flavor has {disk_gib}. Take a larger flavor."
        )
