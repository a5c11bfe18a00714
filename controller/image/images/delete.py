"""Deleting an image: its row at once, its bytes as soon as no host needs them.

A host that still boots from a deleted image, or takes over a server made from it, gets the bytes; so the
row stays as deleted until nothing names it.
"""

from collections.abc import Callable

from sqlalchemy import delete as sql_delete
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.image.images import access
from controller.image.images.model import Image, ImageMember, ImageTag
from controller.image.images.upload import Place, give_up
from controller.web.caller import Caller
from controller.web.errors import Conflict, Forbidden

#: Whether anything may still ask for the bytes of a deleted image.
InUse = Callable[[Session, str], bool]


def delete(session: Session, caller: Caller, image_id: str) -> None:
    """Marks an image deleted. Raises NotFound, and Forbidden for a protected one."""
    image = access.lock_own(session, caller, image_id)
    if image.protected:
        raise Forbidden(
            f"Image {image_id} is protected and cannot be deleted: take its protection off first."
        )
    session.execute(sql_delete(ImageMember).where(ImageMember.image_id == image_id))
    session.execute(sql_delete(ImageTag).where(ImageTag.image_id == image_id))
    session.execute(update(Image).where(Image.id == image_id).values(status="deleted", updated_at=now()))


def purge(place: Place, is_used: InUse) -> None:
    """Removes files and rows of deleted images that nothing needs; done now and then, see main/chores.py."""
    with place.db.read() as session:
        deleted = session.scalars(select(Image.id).where(Image.status == "deleted")).all()
    for image_id in deleted:
        purge_one(place, image_id, is_used)


def purge_one(place: Place, image_id: str, is_used: InUse) -> None:
    """Removes one deleted image if nothing needs it: first the bytes, then the row."""
    with place.db.read() as session:
        image = session.get(Image, image_id)
        if image is None or image.status != "deleted" or is_used(session, image_id):
            return
    place.store.remove(image_id)
    place.db.write(
        lambda s: s.execute(sql_delete(Image).where(Image.id == image_id, Image.status == "deleted"))
    )


def tidy(place: Place) -> None:
    """Puts images back to queued whose writer died, and removes what it had written.

    For the start of a process, and now and then. A file's lock tells whether its writer lives. Files that no row
    knows stay: the database may be an older copy, or a wrong one.
    """
    names = place.store.names()
    with place.db.read() as session:
        rows = dict(session.execute(select(Image.id, Image.status)).tuples().all())
    begun = {image_id for image_id, status in rows.items() if status in ("saving", "uploading")}
    doubtful = {i for i, endings in names.items() if "part" in endings or rows.get(i) == "queued"}
    for image_id in begun | doubtful:
        _settle(place, image_id)


def _settle(place: Place, image_id: str) -> None:
    """Judges the row under the file's lock, so that no upload begins meanwhile."""
    try:
        with place.store.writing(image_id):
            if place.db.write(lambda s: _is_unfinished(s, image_id)):
                place.store.remove(image_id)
    except Conflict:
        return


def _is_unfinished(session: Session, image_id: str) -> bool:
    """Whether the image has no data yet; one whose writer died is queued again."""
    image = session.get(Image, image_id)
    if image is None:
        return False
    if image.status == "queued":
        return True
    if image.status == "saving" or (image.status == "uploading" and image.staged is None):
        give_up(session, image_id)
        return True
    return False
