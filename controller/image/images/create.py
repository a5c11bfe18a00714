"""Making an image: its row, without data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.image.images import details
from controller.image.images.fields import READ_ONLY, RESERVED, RESERVED_PREFIX
from controller.image.images.model import Image
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Conflict, Forbidden

#: What a visibility needs beyond the right to create or change an image.
VISIBILITY_RULES = {"public": "image:images:publicize", "community": "image:images:communitize"}


@dataclass(frozen=True)
class Quotas:
    """How many details an image may have; -1 for any number."""

    properties: int = -1
    tags: int = -1


NO_QUOTAS = Quotas()


@dataclass(frozen=True)
class NewImage:
    """What a caller wants: values of the row, and beside it tags and properties."""

    values: Mapping[str, Any]
    tags: tuple[str, ...] = ()
    properties: Mapping[str, str | None] = field(default_factory=dict)


def refuse_fixed(names: Mapping[str, Any]) -> None:
    """Raises Forbidden for a name that nobody may set, BadRequest for one that is too long."""
    for name in names:
        if name in READ_ONLY:
            raise Forbidden(f"Attribute '{name}' is read-only.")
        if name in RESERVED or name.startswith(RESERVED_PREFIX):
            raise Forbidden(f"Attribute '{name}' is reserved.")
        if not 0 < len(name) <= 255:
            raise BadRequest("Custom property should not be greater than 255 characters.")


def create(session: Session, caller: Caller, new: NewImage, quotas: Quotas = NO_QUOTAS) -> Image:
    """A queued image. Raises Forbidden for another's owner, Conflict for a used id, TooLarge."""
    owner = new.values.get("owner") or caller.project_id
    if owner != caller.project_id and not caller.is_admin:
        raise Forbidden(f"You are not permitted to create images owned by '{owner}'.")
    image_id = str(new.values["id"]).lower()
    at = now()
    image = Image(**{**new.values, "id": image_id, "owner": owner, "created_at": at, "updated_at": at})
    image.status, image.generation = "queued", 0
    if session.get(Image, image_id) is not None:
        raise _taken(image_id)
    session.add(image)
    try:
        session.flush()
    except IntegrityError:
        raise _taken(image_id) from None
    details.write_properties(session, image_id, new.properties, quotas.properties)
    details.write_tags(session, image_id, new.tags, quotas.tags)
    return image


def _taken(image_id: str) -> Conflict:
    return Conflict(f"Image ID {image_id} already exists!")
