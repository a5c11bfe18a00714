"""Who needs the bytes of an image: hosts with a document that names it."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.compute.servers.model import Server
from controller.volume.volumes.model import Volume

_BEING_MADE = ("creating", "downloading")


def may_read_image(session: Session, host: str, image_id: str) -> bool:
    """Whether a server on ``host`` is made of the image, or a volume is being made of it there."""
    return image_id in _named(session, host)


def is_image_in_use(session: Session, image_id: str) -> bool:
    """Whether a host, or one still to be chosen, may ask for the bytes: they outlive a deletion."""
    return image_id in _named(session, None)


def _named(session: Session, host: str | None) -> set[str]:
    """Ids of images that the documents of one host name, or (None) those of all hosts and of none yet.

    A server needs its image as long as it lives: a resize or rebuild elsewhere starts from it. A volume
    needs it only while it is being made.
    """
    boot_images = select(Server.boot_image).where(~Server.is_deleted, Server.boot_image.is_not(None))
    sources = select(Volume.source_image).where(
        ~Volume.is_deleted,
        ~Volume.is_removal_wanted,
        Volume.status.in_(_BEING_MADE),
        Volume.source_image.is_not(None),
    )
    if host is not None:
        boot_images = boot_images.where(Server.host == host)
        sources = sources.where(Volume.host == host)
    parts = _ids(session.scalars(boot_images), ("id", "kernel_id", "ramdisk_id"))
    return parts | _ids(session.scalars(sources), ("id",))


def _ids(described: Iterable[dict[str, str | None] | None], names: tuple[str, ...]) -> set[str]:
    return {found for one in described if one for name in names if (found := one.get(name))}
