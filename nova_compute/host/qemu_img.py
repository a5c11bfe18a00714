"""qemu-img, always with explicit formats and under limits: it reads what tenants upload."""

import json
import pathlib

import msgspec

from nova_compute.host import limited

_MIB = 1 << 20


class ImageInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What qemu-img says of a file."""

    virtual_size: int
    backing_file: str | None
    has_data_file: bool


def info(path: pathlib.Path, disk_format: str) -> ImageInfo:
    """Reads the header of ``path`` as ``disk_format``. Raises ProgramError."""
    told = json.loads(
        limited.run(
            ["qemu-img", "info", "--force-share", "--output=json", "-f", disk_format, _file(path)],
            limited.Limits(),
        )
    )
    specific = told.get("format-specific", {}).get("data", {})
    return ImageInfo(
        virtual_size=told["virtual-size"],
        backing_file=told.get("backing-filename"),
        has_data_file="data-file" in specific,
    )


def create_overlay(base: pathlib.Path, base_format: str, target: pathlib.Path, size_bytes: int) -> None:
    """Makes ``target`` a qcow2 of ``size_bytes`` on top of ``base``. Raises ProgramError."""
    backing = ["-F", base_format, "-b", str(base)]
    limited.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", *backing, str(target), str(size_bytes)],
        limited.Limits(),
    )


def convert(source: pathlib.Path, source_format: str, target: pathlib.Path, virtual_size: int) -> None:
    """Rewrites an image as qcow2, no larger than its virtual size needs. Raises ProgramError."""
    limits = limited.Limits(
        cpu_s=1200, timeout_s=1800.0, file_bytes=virtual_size + virtual_size // 64 + 64 * _MIB
    )
    limited.run(
        ["qemu-img", "convert", "-q", "-f", source_format, "-O", "qcow2", _file(source), str(target)],
        limits,
    )


def _file(path: pathlib.Path) -> str:
    """A plain file and nothing else: without this a name such as ``json:{…}`` would be a description."""
    return f"file:{path}"
