"""Errors of the edges → what the controller is told, and whether it is worth trying again."""

import contextlib
from collections.abc import Iterator

from contract.report import Fault
from nova_compute.domain.element import UnspeakableError
from nova_compute.host.iscsi import WrongVolumeError
from nova_compute.host.libvirt import HypervisorError, RefusedError, UnreachableError
from nova_compute.host.limited import ProgramError
from nova_compute.host.ovsdb import SwitchUnknownError
from nova_compute.images import ImageBusyError, ImageRefusedError
from nova_compute.server_files import DiskLostError, NoRoomError
from runtime.image_stream import ChecksumError, ImageStreamError
from runtime.reconcile.outcome import Failed, Retry

#: When another server makes the image ready, this one is woken by it; the time only covers a lost word.
_BUSY_S = 60.0
_AGAIN: dict[type[Exception], tuple[float, str]] = {
    UnreachableError: (5.0, "The hypervisor of the host does not answer."),
    HypervisorError: (5.0, "The hypervisor of the host could not do what was asked."),
    SwitchUnknownError: (5.0, "The switch of the host is not up."),
    ImageStreamError: (5.0, "The image could not be fetched to the host."),
    ProgramError: (10.0, "A program on the host failed."),
    WrongVolumeError: (30.0, "The host sees another volume in the place of the wanted one."),
    OSError: (10.0, "The host could not read or write its files."),
}
_NEVER: dict[type[Exception], str] = {
    ImageRefusedError: "",
    ChecksumError: "The image came to the host with a wrong checksum: it is not what was uploaded. Upload it again.",
    RefusedError: "The host cannot run a server of this shape.",
    UnspeakableError: "A property of the image or server has control characters. Remove them.",
    NoRoomError: "The disk of the host is full.",
    DiskLostError: "The disk of the server is gone from its host. Is the file system mounted?",
}


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turns the edges' errors into Retry or Failed with a sentence for the user; others pass as bugs."""
    try:
        yield
    except ImageBusyError as error:
        raise Retry(_BUSY_S) from error
    except tuple(_NEVER) as error:
        sentence = _NEVER[type(error)] or str(error)
        raise Failed(Fault(message=sentence, details=str(error))) from error
    except tuple(_AGAIN) as error:
        after_s, sentence = next(_AGAIN[kind] for kind in type(error).__mro__ if kind in _AGAIN)
        raise Retry(after_s, Fault(message=sentence, details=str(error))) from error
