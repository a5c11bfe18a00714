"""What is to be done, from what should be and what is: pure, for the agent, the doctor and the logs."""

import pathlib
from dataclasses import dataclass

from contract.export import Export
from contract.volume import Volume, VolumeImage

GIB = 1 << 30


@dataclass(frozen=True)
class Share:
    """A volume as one initiator is to see it. ``serial`` is the volume's id: initiators compare it."""

    iqn: str
    lun: int
    path: pathlib.Path
    serial: str
    initiator: str
    chap_username: str
    is_read_only: bool


@dataclass(frozen=True)
class Make:
    """An empty volume."""

    volume_id: str
    size_bytes: int


@dataclass(frozen=True)
class Fill:
    """A volume made of an image."""

    volume_id: str
    size_bytes: int
    image: VolumeImage


@dataclass(frozen=True)
class Grow:
    """A volume made larger."""

    volume_id: str
    size_bytes: int


@dataclass(frozen=True)
class Wipe:
    """A volume taken away."""

    volume_id: str


VolumeAction = Make | Fill | Grow | Wipe


class VolumeLostError(Exception):
    """A volume that was here is not: its storage is away, and an empty one must not take its place."""


def volume(wanted: Volume, size_bytes: int | None, was_here: bool) -> tuple[VolumeAction, ...]:
    """Brings a volume about. One that exists is never filled again, and never made smaller.

    Raises VolumeLostError.
    """
    size = wanted.size_gib * GIB
    if size_bytes is None and was_here:
        raise VolumeLostError(f"volume {wanted.id} was here")
    if size_bytes is None:
        if wanted.source_image is None:
            return (Make(wanted.id, size),)
        return (Fill(wanted.id, size, wanted.source_image),)
    if size_bytes < size:
        return (Grow(wanted.id, size),)
    return ()


def removal(volume_id: str) -> tuple[VolumeAction, ...]:
    """Takes a volume away, and what was left of an attempt to make it."""
    return (Wipe(volume_id),)


def share(wanted: Export, path: pathlib.Path) -> Share:
    """What an export document asks for, of a volume at ``path``."""
    return Share(
        iqn=wanted.iqn,
        lun=wanted.lun,
        path=path,
        serial=wanted.volume_id,
        initiator=wanted.initiator,
        chap_username=wanted.chap_username,
        is_read_only=wanted.is_read_only,
    )


def is_to_export(wanted: Share, seen: Share | None, is_secret_known: bool) -> bool:
    """Whether an export must be made anew: it is not there, looks different, or has another password."""
    return seen != wanted or not is_secret_known
