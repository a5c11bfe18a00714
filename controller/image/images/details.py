"""Properties and tags of images: read for many at once, written for one."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from controller.image.images.model import ImageProperty, ImageTag
from controller.web.errors import TooLarge

Properties = dict[str, str | None]
#: How many names fit into one statement on every database.
_BATCH = 500


def properties_of(session: Session, image_ids: Sequence[str]) -> dict[str, Properties]:
    """Properties by image."""
    found: dict[str, Properties] = {}
    for batch in _batches(image_ids):
        rows = session.execute(
            select(ImageProperty.image_id, ImageProperty.name, ImageProperty.value).where(
                ImageProperty.image_id.in_(batch)
            )
        )
        for image_id, name, value in rows:
            found.setdefault(image_id, {})[name] = value
    return found


def tags_of(session: Session, image_ids: Sequence[str]) -> dict[str, list[str]]:
    """Tags by image, sorted."""
    found: dict[str, list[str]] = {}
    for batch in _batches(image_ids):
        rows = session.execute(
            select(ImageTag.image_id, ImageTag.tag).where(ImageTag.image_id.in_(batch)).order_by(ImageTag.tag)
        )
        for image_id, tag in rows:
            found.setdefault(image_id, []).append(tag)
    return found


def write_properties(
    session: Session, image_id: str, properties: Mapping[str, str | None], quota: int
) -> None:
    """Replaces the properties of an image. Raises TooLarge beyond the quota."""
    _check("properties", len(properties), quota)
    session.execute(delete(ImageProperty).where(ImageProperty.image_id == image_id))
    if properties:
        session.execute(
            insert(ImageProperty),
            [{"image_id": image_id, "name": n, "value": v} for n, v in properties.items()],
        )


def write_tags(session: Session, image_id: str, tags: Iterable[str], quota: int) -> None:
    """Replaces the tags of an image. Raises TooLarge beyond the quota."""
    wanted = sorted(set(tags))
    _check("tags", len(wanted), quota)
    session.execute(delete(ImageTag).where(ImageTag.image_id == image_id))
    if wanted:
        session.execute(insert(ImageTag), [{"image_id": image_id, "tag": tag} for tag in wanted])


def _check(what: str, count: int, quota: int) -> None:
    if 0 <= quota < count:
        raise TooLarge(
            f"The limit has been exceeded on the number of allowed image {what}: {count} of {quota}."
        )


def _batches(image_ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (image_ids[at : at + _BATCH] for at in range(0, len(image_ids), _BATCH))
