"""create: all of the intent in one transaction. The host is chosen by the operation."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from controller.db.columns import new_uuid
from controller.identity.projects import lock
from controller.image.images import lookup as images
from controller.image.images.lookup import BootImageInfo
from controller.operations.begin import begin
from controller.volume.types import lookup as types
from controller.volume.types.model import VolumeType
from controller.volume.volumes import quota
from controller.volume.volumes.model import ZONE, Volume
from controller.volume.volumes.operations import create as operation
from controller.web.caller import Caller
from controller.web.errors import BadRequest, NotFound

_GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for. ``volume_type`` is an id or name, None for the default type; ``stored`` are
    columns that need no rule."""

    size_gib: int
    volume_type: str | None = None
    image_id: str | None = None
    availability_zone: str | None = None
    is_of_server: bool = False
    stored: dict[str, Any] = field(default_factory=dict)


def create(session: Session, caller: Caller, wish: Wish) -> Volume:
    """Writes the volume and begins to make it. Raises BadRequest, NotFound (type), TooLarge (quota)."""
    lock(session, caller.own_project)
    volume_type = types.named(session, caller, wish.volume_type)
    if wish.availability_zone not in (None, ZONE):
        raise BadRequest(
            f"Availability zone '{wish.availability_zone}' is invalid: use {ZONE}.",
            kind="InvalidAvailabilityZone",
        )
    image = _image(session, caller, wish) if wish.image_id else None
    quota.check_size(session, caller.own_project, wish.size_gib)
    quota.check(session, caller.own_project, volume_type, 1, wish.size_gib)
    volume = _row(caller, wish, volume_type, image)
    session.add(volume)
    begin(session, operation.DEFINITION, f"volume:{volume.id}", (volume.project_id, caller.user_id))
    session.flush()
    return volume


def _row(caller: Caller, wish: Wish, volume_type: VolumeType, image: BootImageInfo | None) -> Volume:
    return Volume(
        id=new_uuid(),
        project_id=caller.own_project,
        user_id=caller.user_id,
        size_gib=wish.size_gib,
        wanted_gib=wish.size_gib,
        volume_type_id=volume_type.id,
        is_multiattach=volume_type.is_multiattach,
        is_of_server=wish.is_of_server,
        source_image=None if image is None else _source(image),
        image_meta={} if image is None else _image_meta(image),
        **wish.stored,
    )


def _image(session: Session, caller: Caller, wish: Wish) -> BootImageInfo:
    """The image to fill the volume from, which must fit into it."""
    image_id = str(wish.image_id).rsplit("/", 1)[-1]
    try:
        image = images.for_boot(session, caller, image_id)
    except NotFound:
        raise BadRequest("Invalid image identifier or unable to access requested image.") from None
    if image.min_disk and image.min_disk > wish.size_gib:
        raise BadRequest(
            f"Invalid input received: Volume size {wish.size_gib}GB cannot be smaller than the "
            f"image minDisk size {image.min_disk}GB."
        )
    if max(image.size, image.virtual_size or 0) > wish.size_gib * _GIB:
        needed = -(-max(image.size, image.virtual_size or 0) // _GIB)
        raise BadRequest(
            f"Invalid input received: Size of specified image {needed}GB is larger than volume size "
            f"{wish.size_gib}GB."
        )
    return image


def _source(image: BootImageInfo) -> dict[str, Any]:
    return {
        "id": image.id,
        "sha512": image.sha512,
        "size_bytes": image.size,
        "disk_format": image.disk_format,
    }


def _image_meta(image: BootImageInfo) -> dict[str, str]:
    """What a server that boots from the volume must know of its image, as text."""
    named = {
        "image_id": image.id,
        "image_name": image.name,
        "container_format": image.container_format,
        "disk_format": image.disk_format,
        "min_disk": image.min_disk,
        "min_ram": image.min_ram,
        "size": image.size,
    }
    every = {**image.properties, **named}
    return {key: str(value) for key, value in every.items() if value is not None}
