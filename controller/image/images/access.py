"""Who may see which image, and who may change it.

Everyone sees public and community images, those of the own project, and shared ones that it is a member
of. What is not seen is not found; what is seen but not owned may not be changed.
"""

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from controller.image.images.model import Image, ImageMember
from controller.web.caller import Caller
from controller.web.errors import Forbidden, NotFound


def visible(caller: Caller, member_status: str | None = None) -> ColumnElement[bool]:
    """The condition for images that the caller may see; of shared ones only those with a member status."""
    is_there = Image.status != "deleted"
    if caller.is_admin:
        return is_there
    seen: list[ColumnElement[bool]] = [Image.visibility.in_(("public", "community"))]
    if caller.project_id:
        offered = select(ImageMember.image_id).where(ImageMember.member_id == caller.project_id)
        if member_status is not None:
            offered = offered.where(ImageMember.status == member_status)
        seen.append(Image.owner == caller.project_id)
        seen.append(and_(Image.visibility == "shared", Image.id.in_(offered)))
    return and_(is_there, or_(*seen))


def find(session: Session, caller: Caller, image_id: str) -> Image:
    """The image, for someone who may see it. Raises NotFound."""
    image = session.scalar(
        select(Image).where(Image.id == image_id, visible(caller)).execution_options(populate_existing=True)
    )
    if image is None:
        raise not_found(image_id)
    return image


def find_own(session: Session, caller: Caller, image_id: str) -> Image:
    """The image, for someone who may change it. Raises NotFound, Forbidden."""
    image = find(session, caller, image_id)
    if not is_owner(caller, image):
        raise Forbidden(f"You are not permitted to change image {image_id}: it belongs to another project.")
    return image


def lock_own(session: Session, caller: Caller, image_id: str) -> Image:
    """As ``find_own``, with the image locked until the transaction ends."""
    session.execute(
        update(Image)
        .where(Image.id == image_id)
        .values(generation=Image.generation + 1, updated_at=Image.updated_at)
        .execution_options(synchronize_session=False)
    )
    return find_own(session, caller, image_id)


def is_owner(caller: Caller, image: Image) -> bool:
    """Whether the caller may change the image."""
    return caller.is_admin or (image.owner is not None and image.owner == caller.project_id)


def not_found(image_id: str) -> NotFound:
    """What is said about an image that the caller does not see."""
    return NotFound(f"No image found with ID {image_id}")
