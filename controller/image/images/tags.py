"""Single tags of an image."""

import falcon
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.image.images import access
from controller.image.images.api import ImageResource
from controller.image.images.model import ImageTag
from controller.web.caller import Caller
from controller.web.errors import BadRequest, NotFound, TooLarge
from controller.web.resource import no_content


def add(session: Session, caller: Caller, image_id: str, tag: str, quota: int) -> None:
    """Tags an image; nothing if it has the tag. Raises NotFound, Forbidden, TooLarge."""
    image = access.lock_own(session, caller, image_id)
    if session.get(ImageTag, (image_id, tag)) is not None:
        return
    count = session.scalar(select(func.count()).where(ImageTag.image_id == image_id)) or 0
    if 0 <= quota <= count:
        raise TooLarge(f"The limit has been exceeded on the number of allowed image tags: {quota}.")
    session.add(ImageTag(image_id=image_id, tag=tag))
    image.updated_at = now()


def remove(session: Session, caller: Caller, image_id: str, tag: str) -> None:
    """Takes a tag off. Raises NotFound, also for a tag that the image does not have; Forbidden."""
    image = access.lock_own(session, caller, image_id)
    row = session.get(ImageTag, (image_id, tag))
    if row is None:
        raise NotFound(f"Image {image_id} has no tag {tag}.")
    session.delete(row)
    image.updated_at = now()


class TagApi(ImageResource):
    """/v2/images/{image_id}/tags/{tag}"""

    def on_put(self, req: falcon.Request, resp: falcon.Response, image_id: str, tag: str) -> None:
        """Tags the image."""
        caller = self.allow(req, "image:tags:update")
        if len(tag) > 255:
            raise BadRequest("A tag must not be longer than 255 characters.")
        quota = self.options.tags_quota
        self.db.write(lambda s: add(s, caller, image_id, tag, quota))
        no_content(resp)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, image_id: str, tag: str) -> None:
        """Takes the tag off."""
        caller = self.allow(req, "image:tags:delete")
        self.db.write(lambda s: remove(s, caller, image_id, tag))
        no_content(resp)
