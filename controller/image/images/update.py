"""Changing an image by the changes of a patch, all or none."""

from collections.abc import Callable, Iterable

from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.image.images import access, details
from controller.image.images.create import VISIBILITY_RULES, Quotas
from controller.image.images.model import Image
from controller.image.images.patch import Change
from controller.web.caller import Caller
from controller.web.errors import Conflict, Forbidden

#: Attributes of the row that a patch may replace.
ATTRIBUTES = frozenset(
    {
        "name",
        "visibility",
        "owner",
        "protected",
        "os_hidden",
        "disk_format",
        "container_format",
        "min_ram",
        "min_disk",
    }
)


class Draft:
    """An image while a patch is applied to it: its row, its properties and its tags."""

    def __init__(self, image: Image, properties: details.Properties, tags: list[str]) -> None:
        self.image = image
        self.properties = properties
        self.tags = tags

    def apply(self, change: Change, caller: Caller) -> None:
        """One change. Raises Forbidden, Conflict."""
        if change.name in ATTRIBUTES or change.name == "tags":
            self._set(change, caller)
        elif change.operation == "remove":
            self._must_have(change.name)
            del self.properties[change.name]
        else:
            if change.operation == "replace":
                self._must_have(change.name)
            elif change.is_strict and change.name in self.properties:
                raise Conflict(f"Property {change.name} already present.")
            self.properties[change.name] = change.value

    def _set(self, change: Change, caller: Caller) -> None:
        if change.operation == "remove":
            raise Forbidden(f"Property {change.name} may not be removed.")
        if change.operation == "add" and change.is_strict:
            raise Conflict(f"Property {change.name} already present.")
        if change.name == "owner" and not caller.is_admin:
            raise Forbidden("Owner can't be updated by non admin.")
        if change.name == "tags":
            self.tags = change.value
            return
        if change.name in ("disk_format", "container_format") and self.image.status != "queued":
            raise Forbidden(f"Attribute {change.name} can be only replaced for a queued image.")
        setattr(self.image, change.name, change.value)

    def _must_have(self, name: str) -> None:
        if name not in self.properties:
            raise Conflict(f"Property {name} does not exist.")


def update(
    session: Session,
    caller: Caller,
    image_id: str,
    changes: Iterable[Change],
    allows: Callable[[str], bool],
    quotas: Quotas,
) -> Image:
    """Applies the changes; ``allows`` says whether the caller satisfies a policy rule.

    Raises NotFound, Forbidden, Conflict, TooLarge.
    """
    image = access.lock_own(session, caller, image_id)
    properties = details.properties_of(session, [image_id]).get(image_id, {})
    draft = Draft(image, dict(properties), details.tags_of(session, [image_id]).get(image_id, []))
    tags = draft.tags
    for change in changes:
        rule = VISIBILITY_RULES.get(str(change.value)) if change.name == "visibility" else None
        if rule is not None and not allows(rule):
            raise Forbidden(f"You are not permitted to give an image the visibility {change.value}.")
        draft.apply(change, caller)
    if draft.properties != properties:
        details.write_properties(session, image_id, draft.properties, quotas.properties)
    if draft.tags is not tags:
        details.write_tags(session, image_id, draft.tags, quotas.tags)
    image.updated_at = now()
    session.flush()
    return image
