"""Brings an image onto a volume: streamed, its checksum verified, inspected, then converted under limits.

Nothing but the inspector of oslo.utils reads an image before it is known to be what its document says
and to point at nothing outside itself.
"""

import contextlib
import errno
import os
import pathlib
from collections.abc import Callable, Iterator

from oslo_config import cfg
from oslo_utils.imageutils import format_inspector

from contract.volume import VolumeImage
from runtime import image_stream
from volume_agent.host import qemu_img

OPTIONS = [
    cfg.IntOpt("conversion_cpu_s", default=600, min=1, help="CPU time that converting one image may take."),
    cfg.IntOpt("conversion_memory_mib", default=1024, min=128, help="Address space of one conversion."),
]

#: disk_format → (QEMU's driver, what the inspector may find). A raw disk with a partition table is "gpt".
_FORMATS: dict[str, tuple[str, frozenset[str]]] = {
    "raw": ("raw", frozenset({"raw", "gpt"})),
    "ami": ("raw", frozenset({"raw", "gpt"})),
    "iso": ("raw", frozenset({"iso"})),
    "qcow2": ("qcow2", frozenset({"qcow2"})),
    "vmdk": ("vmdk", frozenset({"vmdk"})),
    "vdi": ("vdi", frozenset({"vdi"})),
    "vhd": ("vpc", frozenset({"vhd"})),
    "vhdx": ("vhdx", frozenset({"vhdx"})),
}


class TransferError(Exception):
    """Root of this module's errors."""


class UnavailableError(TransferError):
    """The image could not be had now."""


class RefusedError(TransferError):
    """The image is not one that may be used, and never will be."""


class NoSpaceError(TransferError):
    """This host has no room for it."""


class Transfer:
    """Fills prepared volumes; what is on the way lies in one directory, emptied at start."""

    def __init__(
        self, conf: cfg.ConfigOpts, key: Callable[[str], bytes | None], directory: pathlib.Path
    ) -> None:
        self._conf = conf
        self._key = key
        self._directory = directory
        directory.chmod(0o700)
        for left in directory.iterdir():
            left.unlink()

    def fill(self, target: pathlib.Path, size_bytes: int, image: VolumeImage) -> None:
        """Writes an image onto ``target``, which has ``size_bytes`` and reads zeros. Raises TransferError."""
        file = self._directory / f"{target.name}.image"
        try:
            with _errors(image.id):
                image_stream.fetch(self._conf, self._key, (image.id, image.sha512), file)
                driver = inspect(file, image.disk_format, size_bytes)
                qemu_img.convert(file, driver, target, self._limits())
                _sync(target)
        finally:
            file.unlink(missing_ok=True)

    def _limits(self) -> qemu_img.Limits:
        return qemu_img.Limits(self._conf.conversion_cpu_s, self._conf.conversion_memory_mib << 20)


def inspect(file: pathlib.Path, disk_format: str, size_bytes: int) -> str:
    """QEMU's driver for an image that is safe, of the format it claims, and fits. Raises RefusedError."""
    if disk_format not in _FORMATS:
        raise RefusedError(f"images of format {disk_format} cannot become volumes")
    driver, accepted = _FORMATS[disk_format]
    try:
        found = format_inspector.detect_file_format(str(file))
        if found is None or str(found) not in accepted:
            raise RefusedError(f"the image claims to be {disk_format} but is {found or 'unknown'}")
        found.safety_check()
        virtual_size = file.stat().st_size if driver == "raw" else found.virtual_size
    except (format_inspector.ImageFormatError, format_inspector.SafetyCheckFailed) as error:
        raise RefusedError(f"the image is not safe: {error}") from error
    if virtual_size > size_bytes:
        raise RefusedError(f"the image needs {virtual_size} bytes, the volume has {size_bytes}")
    return driver


def _sync(path: pathlib.Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def _errors(image_id: str) -> Iterator[None]:
    try:
        yield
    except image_stream.ImageStreamError as error:
        raise UnavailableError(str(error)) from error
    except image_stream.ChecksumError as error:
        raise RefusedError(str(error)) from error
    except qemu_img.NoSpaceError as error:
        raise NoSpaceError(str(error)) from error
    except qemu_img.QemuImgError as error:
        raise RefusedError(f"image {image_id} cannot be converted: {error}") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpaceError(str(error)) from error
        raise
