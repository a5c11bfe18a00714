"""Errors of the API, one tree. Each has a status and a sentence that says what to do.

    ApiError
    ├── BadRequest 400          malformed, unknown field, wrong value
    │   └── InvalidBody 400     against a schema
    ├── Unauthorized 401        no token, or not a good one
    ├── Forbidden 403           the role does not allow it
    │   └── OverQuota 403/413   a quota would be exceeded
    ├── NotFound 404            not there, or of another project
    ├── NotAcceptable 406       a microversion that is not spoken
    ├── Conflict 409            the state does not allow it now
    ├── Gone 410, PreconditionFailed 412, TooLarge 413, UnsupportedMedia 415
    └── InsufficientStorage 507

401: who are you. 403: you may see it but not do it. 404: for you it does not exist. 409: ask again later
or change the state first.
"""

from typing import Any, ClassVar


class ApiError(Exception):
    """Root. ``kind`` is the service's own name of the error where its clients look at one."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal Server Error"

    def __init__(self, message: str, kind: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.headers = headers or {}


class BadRequest(ApiError):
    """Malformed, unknown field, or a value that cannot be."""

    status, title = 400, "Bad Request"


class InvalidBody(BadRequest):
    """The body does not fit the schema of the call."""


class Unauthorized(ApiError):
    """No token, or one that is not valid (any more)."""

    status, title = 401, "Unauthorized"


class Forbidden(ApiError):
    """The caller's roles do not allow it."""

    status, title = 403, "Forbidden"


class OverQuota(Forbidden):
    """A quota of the project would be exceeded."""


class NotFound(ApiError):
    """Not there, or not for the caller."""

    status, title = 404, "Not Found"


class MethodNotAllowed(ApiError):
    """The URL exists but not with this method."""

    status, title = 405, "Method Not Allowed"


class NotAcceptable(ApiError):
    """A microversion outside of what is spoken."""

    status, title = 406, "Not Acceptable"


class Conflict(ApiError):
    """The present state does not allow it."""

    status, title = 409, "Conflict"


class Gone(ApiError):
    """It was there once."""

    status, title = 410, "Gone"


class PreconditionFailed(ApiError):
    """A condition that the caller set does not hold."""

    status, title = 412, "Precondition Failed"


class TooLarge(ApiError):
    """Body too big, or (older services) a quota exceeded."""

    status, title = 413, "Request Entity Too Large"


class UnsupportedMedia(ApiError):
    """A content type that the call does not take."""

    status, title = 415, "Unsupported Media Type"


class InsufficientStorage(ApiError):
    """The disk of the controller is full."""

    status, title = 507, "Insufficient Storage"


def not_found(what: str, name: str) -> NotFound:
    """The usual 404: "Server x could not be found."."""
    return NotFound(f"{what} {name} could not be found.")


Envelope = dict[str, Any]


def keystone_envelope(error: ApiError) -> Envelope:
    """``{"error": {"code", "message", "title"}}``: identity."""
    return {"error": {"code": error.status, "message": error.message, "title": error.title}}


_NOVA_KEYS = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    406: "notAcceptable",
    409: "conflictingRequest",
    410: "gone",
    413: "overLimit",
    415: "badMediaType",
    501: "notImplemented",
    507: "insufficientStorage",
}


def nova_envelope(error: ApiError) -> Envelope:
    """``{"itemNotFound": {"code", "message"}}``: compute and volume."""
    key = _NOVA_KEYS.get(error.status, "computeFault")
    return {key: {"code": error.status, "message": error.message}}


def neutron_envelope(error: ApiError) -> Envelope:
    """``{"NeutronError": {"type", "message", "detail"}}``: network."""
    kind = error.kind or type(error).__name__
    return {"NeutronError": {"type": kind, "message": error.message, "detail": ""}}


def placement_envelope(error: ApiError) -> Envelope:
    """``{"errors": [{"status", "title", "detail", "request_id"}]}``: placement."""
    return {
        "errors": [
            {
                "status": error.status,
                "title": error.title,
                "detail": error.message,
                "code": error.kind or "placement.undefined_code",
            }
        ]
    }


def glance_envelope(error: ApiError) -> Envelope:
    """``{"message", "code", "title"}``: image."""
    return {"message": error.message, "code": f"{error.status} {error.title}", "title": error.title}
