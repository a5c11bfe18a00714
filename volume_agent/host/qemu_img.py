"""qemu-img under limits: images are made by users, and a converter may be made to eat the host."""

import pathlib
import subprocess
from dataclasses import dataclass

#: glibc reserves 64 MiB of address space for each thread that allocates: the limit would hit by chance.
_ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}

#: Each thread reserves as much as the main one may have, and how many of up to 64 are alive is chance as well.
_STACK_BYTES = 1 << 20


class QemuImgError(Exception):
    """The conversion failed: the message is qemu-img's."""


class NoSpaceError(QemuImgError):
    """The target's storage is full."""


@dataclass(frozen=True)
class Limits:
    """What one conversion may use."""

    cpu_s: int
    address_space_bytes: int


def convert(source: pathlib.Path, driver: str, target: pathlib.Path, limits: Limits) -> None:
    """Writes an image, read as ``driver`` and nothing else, onto ``target``, which exists and reads zeros.

    Raises QemuImgError.
    """
    bounds = [
        f"--cpu={limits.cpu_s}",
        f"--as={limits.address_space_bytes}",
        f"--stack={_STACK_BYTES}",
        "--core=0",
    ]
    formats = ["-f", driver, "-O", "raw"]
    done = subprocess.run(
        ["prlimit", *bounds, "--", "qemu-img", "convert", "-n", "--target-is-zero", *formats, source, target],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **_ONE_ARENA},
    )
    if done.returncode:
        message = done.stderr.strip()[-800:] or f"ended by signal {-done.returncode}: over its limits"
        raise (NoSpaceError if "No space left" in message else QemuImgError)(message)
