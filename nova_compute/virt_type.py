"""Decides the type of this host's domains, and remembers what a probe found until the host boots again."""

import logging
import pathlib
import time
from collections.abc import Callable

import msgspec

from nova_compute.domain.machine import VirtType

LOG = logging.getLogger(__name__)

_BOOT_ID = pathlib.Path("/proc/sys/kernel/random/boot_id")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a probe and the boot of the host that it is true for."""

    boot_id: str
    virt_type: VirtType


def decide(wanted: str, cache: pathlib.Path, runs_guests: Callable[[], bool]) -> VirtType:
    """``wanted`` is the option's word; ``runs_guests`` boots a guest under KVM."""
    if wanted == "kvm":
        return "kvm"
    if wanted == "qemu":
        return "qemu"
    boot_id = _BOOT_ID.read_text().strip()
    known = _known(cache)
    if known is not None and known.boot_id == boot_id:
        return known.virt_type
    started = time.monotonic()
    found: VirtType = "kvm" if runs_guests() else "qemu"
    LOG.info("a guest under KVM %s", f"told {found} within {time.monotonic() - started:.1f} s")
    cache.write_bytes(msgspec.json.encode(Found(boot_id=boot_id, virt_type=found)))
    return found


def _known(cache: pathlib.Path) -> Found | None:
    try:
        return msgspec.json.decode(cache.read_bytes(), type=Found)
    except (OSError, msgspec.MsgspecError):
        return None
