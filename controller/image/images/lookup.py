"""What the rest of the cloud wants to know of images."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.image.images import access, details
from controller.image.images.model import Image
from controller.web.caller import Caller
from controller.web.errors import BadRequest, NotFound


@dataclass(frozen=True, kw_only=True)
class BootImageInfo:
    """All that a server, a volume or a document needs of an image. Sizes are bytes, ``min_ram`` MiB,
    ``min_disk`` GiB. Kernel and ramdisk are images too; None when the image boots by itself."""

    id: str
    name: str
    status: str
    owner: str | None
    sha512: str
    size: int
    disk_format: str
    container_format: str
    min_ram: int
    min_disk: int
    virtual_size: int | None = None
    properties: Mapping[str, str | None] = field(default_factory=dict)
    kernel_id: str | None = None
    kernel_sha512: str | None = None
    ramdisk_id: str | None = None
    ramdisk_sha512: str | None = None


def for_boot(session: Session, caller: Caller, image_id: str) -> BootImageInfo:
    """An image that the caller may use. Raises NotFound, and BadRequest when it, or its kernel or
    ramdisk, cannot be used now."""
    found = _described(session, access.find(session, caller, image_id))
    if found.status != "active":
        raise BadRequest(f"Image {image_id} is not active.")
    for word, part, sha512 in (
        ("Kernel", found.kernel_id, found.kernel_sha512),
        ("Ramdisk", found.ramdisk_id, found.ramdisk_sha512),
    ):
        if part and not sha512:
            raise BadRequest(f"{word} image {part} of image {image_id} is not active.")
        if part:
            access.find(session, caller, part)
    return found


def info(session: Session, image_id: str) -> BootImageInfo:
    """Any image, also a deleted one whose bytes are still kept: for documents. Raises NotFound."""
    image = session.get(Image, image_id, populate_existing=True)
    if image is None:
        raise NotFound(f"No image found with ID {image_id}")
    return _described(session, image)


def _described(session: Session, image: Image) -> BootImageInfo:
    properties = details.properties_of(session, [image.id]).get(image.id, {})
    kernel_id, ramdisk_id = properties.get("kernel_id") or None, properties.get("ramdisk_id") or None
    hashes = _hashes(session, [part for part in (kernel_id, ramdisk_id) if part])
    return BootImageInfo(
        id=image.id,
        name=image.name or "",
        status=image.status,
        owner=image.owner,
        sha512=image.os_hash_value or "",
        size=image.size or 0,
        disk_format=image.disk_format or "",
        container_format=image.container_format or "",
        min_ram=image.min_ram,
        min_disk=image.min_disk,
        virtual_size=image.virtual_size,
        properties=properties,
        kernel_id=kernel_id,
        kernel_sha512=hashes.get(kernel_id or ""),
        ramdisk_id=ramdisk_id,
        ramdisk_sha512=hashes.get(ramdisk_id or ""),
    )


def _hashes(session: Session, image_ids: list[str]) -> dict[str, str]:
    if not image_ids:
        return {}
    rows = session.execute(select(Image.id, Image.os_hash_value).where(Image.id.in_(image_ids)))
    return {image_id: sha512 for image_id, sha512 in rows if sha512}
