"""What every API class is given, and the small acts that all of them share.

An API method parses, makes one call, renders; rules live in the verbs, SQL in functions with a session.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import falcon
import msgspec
from oslo_config import cfg

from controller.db.session import Database
from controller.web.caller import Caller
from controller.web.errors import BadRequest, UnsupportedMedia
from controller.web.fields import View
from controller.web.policy import Policy
from controller.web.versions import Version

#: Largest JSON body that is read; image data is streamed and not limited by this.
MAX_BODY = 1 << 20


@dataclass(frozen=True)
class Cloud:
    """What a running API process has: handed to every API class once, at start.

    ``tools`` holds what single services need beside it (image store, call to an agent), by name.
    """

    conf: cfg.ConfigOpts
    db: Database
    policy: Policy
    tools: Mapping[str, Any] = field(default_factory=dict)


class Resource:
    """Root of the API classes."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.db = cloud.db

    def allow(self, req: falcon.Request, rule: str) -> Caller:
        """The caller, if the policy rule lets him; else Forbidden."""
        caller = caller_of(req)
        self.cloud.policy.check(caller, rule)
        return caller

    def view(self, req: falcon.Request, related: Mapping[str, Mapping[str, Any]] | None = None) -> View:
        """How rows are shown in the answer to ``req``."""
        return View(
            caller=caller_of(req),
            policy=self.cloud.policy,
            base_url=base_url(req),
            version=version_of(req),
            related=related or {},
        )


def caller_of(req: falcon.Request) -> Caller:
    """Who sent the request: set by the token middleware."""
    caller: Caller = req.context.caller
    return caller


def version_of(req: falcon.Request) -> Version:
    """The microversion of the request."""
    version: Version = req.context.version
    return version


def base_url(req: falcon.Request) -> str:
    """The URL under which the service was reached, without a slash at the end."""
    url: str = req.context.base_url
    return url


def body_of(req: falcon.Request) -> Any:
    """The JSON body. Raises BadRequest for what is none or too big, UnsupportedMedia for other types."""
    content_type = (req.content_type or "").partition(";")[0].strip()
    if content_type and content_type != "application/json":
        raise UnsupportedMedia(f"Content type {content_type} is not taken here: send application/json.")
    raw = read_limited(req)
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"Malformed JSON in the request body: {error}") from None


def read_limited(req: falcon.Request, limit: int = MAX_BODY) -> bytes:
    """The whole body, refused when longer than ``limit`` bytes or when the connection was lost on the way."""
    try:
        raw: bytes = req.bounded_stream.read(limit + 1)
    except ConnectionError as error:
        raise BadRequest(f"The connection was lost while the request was sent: {error}") from None
    if len(raw) > limit:
        raise BadRequest(f"The request body is longer than {limit} bytes.")
    return raw


def params_of(req: falcon.Request) -> dict[str, list[str]]:
    """Query parameters, each with all its values."""
    return {k: v if isinstance(v, list) else [v] for k, v in req.params.items()}


def answer(resp: falcon.Response, body: Any, status: int = 200) -> None:
    """A JSON answer."""
    resp.status = status
    resp.data = msgspec.json.encode(body)
    resp.content_type = "application/json"


def no_content(resp: falcon.Response, status: int = 204) -> None:
    """An answer without a body."""
    resp.status = status
    resp.data = b""
    if status == 204:
        resp.content_type = None


#: A URL and its class; with a suffix the methods are on_get_<suffix> and so on.
Route = tuple[str, Callable[[Cloud], Any]] | tuple[str, Callable[[Cloud], Any], str]
