"""What the API classes of placement share: since which version they exist, bodies, headers of answers."""

import datetime
import email.utils
import re
from typing import Any, ClassVar

import falcon

from controller.placement.versions import TIMES
from controller.web.caller import Caller
from controller.web.errors import BadRequest, NotFound, UnsupportedMedia
from controller.web.resource import Resource, answer, body_of, params_of, version_of
from controller.web.schema import Check
from controller.web.versions import Version

_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


class Endpoint(Resource):
    """Root of the API classes; before ``SINCE`` the URL does not exist."""

    SINCE: ClassVar[Version | None] = None

    def allow(self, req: falcon.Request, rule: str) -> Caller:
        """As everywhere, after the version: an unknown URL is a 404 to anyone."""
        if self.SINCE is not None and version_of(req) < self.SINCE:
            raise NotFound("The resource could not be found.")
        return super().allow(req, rule)


def checked_body(req: falcon.Request, check: Check) -> Any:
    """The JSON body if it fits. Raises UnsupportedMedia, BadRequest."""
    if not req.content_type:
        raise UnsupportedMedia("The media type None is not supported, use application/json")
    return check(body_of(req))


def reply(
    req: falcon.Request,
    resp: falcon.Response,
    body: Any,
    status: int = 200,
    modified: datetime.datetime | None = None,
) -> None:
    """A JSON answer with the time of the last change, which is now where nothing else is known."""
    answer(resp, body, status)
    date(req, resp, modified)


def date(req: falcon.Request, resp: falcon.Response, modified: datetime.datetime | None = None) -> None:
    """Says when the answer's content changed last, and that it must not be cached."""
    if version_of(req) < TIMES:
        return
    moment = modified.replace(tzinfo=datetime.UTC) if modified else datetime.datetime.now(datetime.UTC)
    resp.set_header("Last-Modified", email.utils.format_datetime(moment, usegmt=True))
    resp.set_header("Cache-Control", "no-cache")


def query(req: falcon.Request, known: dict[str, Version | None]) -> dict[str, list[str]]:
    """Query parameters, of which each must exist in the request's version. Raises BadRequest."""
    params, version = params_of(req), version_of(req)
    for name in params:
        since = known.get(name)
        if name not in known or (since is not None and version < since):
            raise BadRequest(
                "Invalid query string parameters: Additional properties are not allowed "
                f"('{name}' was unexpected)"
            )
    return params


def as_uuid(text: str, what: str) -> str:
    """A UUID in its usual form, however it was written. Raises BadRequest."""
    plain = text.lower().replace("-", "")
    dashed = f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"
    if not _UUID.fullmatch(dashed):
        raise BadRequest(f"Malformed {what}: {text}")
    return dashed
