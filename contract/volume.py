"""The desired volume of a storage host (taken by ``volume_agent``)."""

from typing import ClassVar, Literal

import msgspec

from contract.document import Document


class VolumeImage(msgspec.Struct, frozen=True, kw_only=True):
    """The image that a new volume is filled from, streamed from ``/internal/images/{id}``."""

    id: str
    sha512: str
    size_bytes: int
    disk_format: str


class Volume(Document, frozen=True, kw_only=True):
    """``source_image`` counts only while the volume is made: it is never applied again."""

    KIND: ClassVar[str] = "volume"

    project_id: str
    size_gib: int
    backend: str
    source_image: VolumeImage | None = None


class VolumeObserved(msgspec.Struct, frozen=True, kw_only=True):
    """What the storage host sees. ``size_bytes`` is the size that an initiator would see."""

    state: Literal["available", "error", "absent"]
    size_bytes: int = 0
