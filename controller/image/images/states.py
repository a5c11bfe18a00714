"""The states of an image, and which event leads from where to where.

queued ──upload──► saving ──saved──► active ◄──reactivate/deactivate──► deactivated
   │                  └──give_up──► queued
   ├──stage──► uploading ──import──► active
   │              └──give_up──► queued
   └──download──► importing ──imported──► active
                      └──give_up──► queued
any ──delete──► deleted
"""

from sqlalchemy import update
from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.image.images.model import Image
from controller.web.errors import Conflict

#: The event's states before (sorted) and the one after.
MOVES: dict[str, tuple[tuple[str, ...], str]] = {
    # The file's lock is held by who begins: an image that is still saving or uploading lost its writer.
    "upload": (("queued", "saving"), "saving"),
    "saved": (("saving",), "active"),
    "stage": (("queued", "uploading"), "uploading"),
    "import": (("uploading",), "active"),
    "download": (("queued",), "importing"),
    "imported": (("importing",), "active"),
    "give_up": (("importing", "saving", "uploading"), "queued"),
    "deactivate": (("active", "deactivated"), "deactivated"),
    "reactivate": (("active", "deactivated"), "active"),
}

ALL = (
    "queued",
    "saving",
    "active",
    "killed",
    "deleted",
    "uploading",
    "importing",
    "pending_delete",
    "deactivated",
)


def move(session: Session, image_id: str, event: str, **values: object) -> None:
    """Writes the state after ``event``, with further values. Raises Conflict in any other state before."""
    before, after = MOVES[event]
    moved = session.execute(
        update(Image)
        .where(Image.id == image_id, Image.status.in_(before))
        .values(status=after, generation=Image.generation + 1, updated_at=now(), **values)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(
            f"Image {image_id} is not in a state that allows to {event.replace('_', ' ')}: it must be "
            f"{' or '.join(before)}."
        )
