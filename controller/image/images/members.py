"""Members of shared images: other projects that an image is offered to, and what they answer."""

from typing import Any

import falcon
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.image.images import access
from controller.image.images.api import ImageResource
from controller.image.images.model import Image, ImageMember
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Conflict, Forbidden, NotFound, TooLarge
from controller.web.fields import Field, Fields, time_text
from controller.web.resource import answer, body_of, no_content
from controller.web.schema import Schema

STATUSES = ("pending", "accepted", "rejected")
_TEXT: Schema = {"type": "string"}

FIELDS = Fields(
    "member",
    "members",
    [
        Field(name="member_id", schema={**_TEXT, "description": "Project that the image is offered to."}),
        Field(name="image_id", schema={**_TEXT, "description": "The image."}),
        Field(
            name="status",
            schema={**_TEXT, "enum": list(STATUSES), "description": "What the project said to it."},
        ),
        Field(
            name="created_at",
            schema={**_TEXT, "description": "When it was offered."},
            show=lambda row, _view: time_text(row.created_at),
        ),
        Field(
            name="updated_at",
            schema={**_TEXT, "description": "When its status changed last."},
            show=lambda row, _view: time_text(row.updated_at or row.created_at),
        ),
        Field(name="schema", schema=_TEXT, show=lambda _row, _view: "/v2/schemas/member"),
    ],
)


def add(session: Session, caller: Caller, image_id: str, member_id: str, quota: int) -> ImageMember:
    """Offers an image. Raises NotFound, Forbidden, Conflict for a member, TooLarge."""
    image = access.lock_own(session, caller, image_id)
    _refuse_unshared(image)
    if session.get(ImageMember, (image_id, member_id)) is not None:
        raise Conflict(f"Member {member_id} is duplicated for image {image_id}")
    count = session.scalar(select(func.count()).where(ImageMember.image_id == image_id)) or 0
    if 0 <= quota <= count:
        raise TooLarge(f"The limit has been exceeded on the number of allowed image members: {quota}.")
    at = now()
    member = ImageMember(
        image_id=image_id, member_id=member_id, status="pending", created_at=at, updated_at=at
    )
    session.add(member)
    session.flush()
    return member


def decide(session: Session, caller: Caller, image_id: str, member_id: str, status: str) -> ImageMember:
    """What the member itself says to the offer. Raises NotFound, Forbidden for anyone else."""
    image = access.find(session, caller, image_id)
    _refuse_unshared(image)
    member = get(session, caller, image, member_id)
    if not caller.is_admin and member_id != caller.project_id:
        raise Forbidden(f"Not allowed to update members for image {image_id}.")
    member.status, member.updated_at = status, now()
    session.flush()
    return member


def remove(session: Session, caller: Caller, image_id: str, member_id: str) -> None:
    """Ends an offer. Raises NotFound, Forbidden."""
    image = access.lock_own(session, caller, image_id)
    _refuse_unshared(image)
    session.delete(get(session, caller, image, member_id))


def get(session: Session, caller: Caller, image: Image, member_id: str) -> ImageMember:
    """One member, for the owner and for itself. Raises NotFound."""
    member = session.get(ImageMember, (image.id, member_id), populate_existing=True)
    if member is None or not (access.is_owner(caller, image) or member_id == caller.project_id):
        raise NotFound(f"{member_id} not found in the member list of the image {image.id}.")
    return member


def seen(session: Session, caller: Caller, image_id: str) -> list[ImageMember]:
    """All members for the owner; for a member only itself. Raises NotFound, Forbidden if not shared."""
    image = access.find(session, caller, image_id)
    _refuse_unshared(image)
    statement = select(ImageMember).where(ImageMember.image_id == image_id)
    if not access.is_owner(caller, image):
        statement = statement.where(ImageMember.member_id == caller.project_id)
    return list(session.scalars(statement.order_by(ImageMember.created_at, ImageMember.member_id)))


def _refuse_unshared(image: Image) -> None:
    if image.visibility != "shared":
        raise Forbidden("Only shared images have members.")


def _given(req: falcon.Request, name: str) -> str:
    body = body_of(req)
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise BadRequest(f'Expected a {name} in the form: {{"{name}": "…"}}')
    return value


class MembersApi(ImageResource):
    """/v2/images/{image_id}/members"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, image_id: str) -> None:
        """Whom the image is offered to."""
        caller = self.allow(req, "image:members:list")
        with self.db.read() as session:
            rows = seen(session, caller, image_id)
        body: dict[str, Any] = FIELDS.many(rows, self.view(req))
        answer(resp, {**body, "schema": "/v2/schemas/members"})

    def on_post(self, req: falcon.Request, resp: falcon.Response, image_id: str) -> None:
        """Offers it to one more."""
        caller = self.allow(req, "image:members:create")
        member_id = _given(req, "member")
        quota = self.options.members_quota
        row = self.db.write(lambda s: add(s, caller, image_id, member_id, quota))
        answer(resp, FIELDS.view(row, self.view(req)))


class MemberApi(ImageResource):
    """/v2/images/{image_id}/members/{member_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, image_id: str, member_id: str) -> None:
        """One offer."""
        caller = self.allow(req, "image:members:show")
        with self.db.read() as session:
            image = access.find(session, caller, image_id)
            row = get(session, caller, image, member_id)
        answer(resp, FIELDS.view(row, self.view(req)))

    def on_put(self, req: falcon.Request, resp: falcon.Response, image_id: str, member_id: str) -> None:
        """Accepts or rejects it."""
        caller = self.allow(req, "image:members:update")
        status = _given(req, "status")
        if status not in STATUSES:
            raise BadRequest(f"Incorrect request: status must be one of {', '.join(STATUSES)}.")
        row = self.db.write(lambda s: decide(s, caller, image_id, member_id, status))
        answer(resp, FIELDS.view(row, self.view(req)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, image_id: str, member_id: str) -> None:
        """Ends it."""
        caller = self.allow(req, "image:members:delete")
        self.db.write(lambda s: remove(s, caller, image_id, member_id))
        no_content(resp)
