"""One service as a Falcon application, and all services under one port by path.

Order of what a request passes, outermost first, and why: the request id exists before anything can be
logged; errors are rendered inside it, so that every answer has the id; the microversion is settled before
the token, because an unspeakable version is answered to anyone; the token comes last before the resource.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import falcon
import msgspec
import prometheus_client
from sqlalchemy.exc import OperationalError

from controller.db.session import DatabaseFullError
from controller.web import errors
from controller.web.caller import Caller
from controller.web.resource import Cloud, Route
from controller.web.versions import UNVERSIONED, Microversions
from runtime import log

LOG = logging.getLogger(__name__)
WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]

REQUESTS = prometheus_client.Histogram(
    "cumulet_api_request_seconds", "Time from request to answer.", ["service", "method", "status"]
)


@dataclass(frozen=True)
class Service:
    """What makes a service: where it hangs, its URLs, its error envelope, its microversions.

    ``public`` are paths (exact, under the prefix) that need no token. ``request_id_headers`` are further
    names under which the request id is answered. ``is_public``: no path needs a token, because the
    service knows its callers otherwise. ``unversioned`` is a path under which the oldest microversion is
    spoken, whatever a request's headers say. ``is_exact``: a slash at the end is an empty name, and nothing
    has that.
    """

    name: str
    prefix: str
    routes: Sequence[Route]
    envelope: Callable[[errors.ApiError], errors.Envelope]
    versions: Microversions | None = None
    public: frozenset[str] = frozenset()
    request_id_headers: tuple[str, ...] = field(default=())
    is_public: bool = False
    unversioned: str = ""
    is_exact: bool = False


Authenticate = Callable[[str], Caller]


class _Edge:
    """The middleware of a service, in the order described above."""

    def __init__(self, service: Service, authenticate: Authenticate) -> None:
        self._service = service
        self._authenticate = authenticate

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Fills the request's context, or raises what the answer must be."""
        context = req.context
        context.base_url = f"{req.forwarded_scheme}://{req.forwarded_host}{self._service.prefix}"
        context.version = UNVERSIONED
        context.caller = None
        if self._service.versions is not None:
            self._negotiate(req, resp, self._service.versions)
        if not self._is_public(req.path):
            context.caller = self._authenticate(req.get_header("X-Auth-Token") or "")
            if self._service.is_exact and str(req.env.get("PATH_INFO", "")).endswith("/"):
                raise errors.NotFound("The resource could not be found: its name is empty.")

    def _is_public(self, path: str) -> bool:
        public = self._service.public
        return self._service.is_public or path in public or path.rstrip("/") in public

    def _negotiate(self, req: falcon.Request, resp: falcon.Response, versions: Microversions) -> None:
        if self._service.unversioned and f"{req.path}/".startswith(f"{self._service.unversioned}/"):
            req.context.version = versions.minimum
            return
        legacy = req.get_header(versions.legacy_header) if versions.legacy_header else None
        version = versions.asked(req.get_header("OpenStack-API-Version"), legacy)
        req.context.version = version
        resp.set_headers(versions.echo(version))


def build(service: Service, cloud: Cloud, authenticate: Authenticate) -> WsgiApp:
    """The WSGI application of one service."""
    app = falcon.App(middleware=[_Edge(service, authenticate)])
    app.req_options.strip_url_path_trailing_slash = True
    app.req_options.keep_blank_qs_values = True
    app.req_options.auto_parse_qs_csv = False
    app.router_options.converters["any"] = falcon.routing.PathConverter
    for path, make, *suffix in service.routes:
        app.add_route(path, make(cloud), suffix=suffix[0] if suffix else None)

    def render(resp: falcon.Response, error: errors.ApiError) -> None:
        resp.status = error.status
        resp.data = msgspec.json.encode(service.envelope(error))
        resp.content_type = "application/json"
        resp.set_headers(error.headers)
        if error.status == 401:
            resp.set_header("WWW-Authenticate", 'Keystone uri="/identity"')

    def on_api_error(_req: Any, resp: falcon.Response, error: errors.ApiError, _params: Any) -> None:
        render(resp, error)

    def on_http_error(_req: Any, resp: falcon.Response, error: falcon.HTTPError, _params: Any) -> None:
        render(resp, _translated(error))

    def on_bug(req: falcon.Request, resp: falcon.Response, error: Exception, _params: Any) -> None:
        answer = _unexpected(error)
        if isinstance(answer, errors.InsufficientStorage):
            LOG.warning("%s %s: %s", req.method, req.path, answer.message)
        else:
            LOG.error("%s %s", req.method, req.path, exc_info=error)
        render(resp, answer)

    app.add_error_handler(Exception, on_bug)
    app.add_error_handler(falcon.HTTPError, on_http_error)
    app.add_error_handler(errors.ApiError, on_api_error)
    return _with_request_id(app, service)


def mount(apps: Sequence[tuple[str, WsgiApp]], fallback: WsgiApp) -> WsgiApp:
    """All services under one port: the longest prefix that the path begins with wins."""
    ordered = sorted(apps, key=lambda pair: -len(pair[0]))

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        for prefix, app in ordered:
            if path == prefix or path.startswith(prefix + "/"):
                environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + prefix
                environ["PATH_INFO"] = path[len(prefix) :] or "/"
                return app(environ, start_response)
        return fallback(environ, start_response)

    return serve


def _with_request_id(app: WsgiApp, service: Service) -> WsgiApp:
    """Gives each request its id, in logs and answer, and counts it."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        given = environ.get("HTTP_X_OPENSTACK_REQUEST_ID", "")
        request = given if _is_request_id(given) else log.new_request_id()
        environ["cumulet.request_id"] = request
        began = time.perf_counter()

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            for name in ("x-openstack-request-id", *service.request_id_headers):
                headers.append((name, request))
            REQUESTS.labels(service.name, _counted_method(environ), status[:3]).observe(
                time.perf_counter() - began
            )
            LOG.info(
                "%s %s%s %s %.1f ms",
                environ["REQUEST_METHOD"],
                service.prefix,
                environ.get("PATH_INFO", ""),
                status[:3],
                (time.perf_counter() - began) * 1e3,
            )
            return start_response(status, headers, *rest)

        with log.working_for(request):
            return app(environ, start)

    return serve


def _counted_method(environ: dict[str, Any]) -> str:
    """The method as metrics name it: what clients invent must not make series without end."""
    method: str = environ["REQUEST_METHOD"]
    return method if method in falcon.HTTP_METHODS else "other"


def _is_request_id(text: str) -> bool:
    return text.startswith("req-") and 10 <= len(text) <= 60 and text.replace("-", "").isalnum()


def _translated(error: falcon.HTTPError) -> errors.ApiError:
    """Falcon's own errors (no such route, wrong method) in our tree."""
    classes = {
        400: errors.BadRequest,
        404: errors.NotFound,
        405: errors.MethodNotAllowed,
        413: errors.TooLarge,
        415: errors.UnsupportedMedia,
    }
    kind = classes.get(falcon.http_status_to_code(error.status), errors.BadRequest)
    message = (
        "The resource could not be found."
        if kind is errors.NotFound
        else (error.description or error.title or "")
    )
    return kind(
        message,
        headers={k: v for k, v in (error.headers or {}).items()} if isinstance(error.headers, dict) else {},
    )


def _unexpected(error: Exception) -> errors.ApiError:
    if isinstance(error, OSError) and error.errno == 28:
        return errors.InsufficientStorage("The controller's disk is full: free space and try again.")
    if isinstance(error, DatabaseFullError):
        return errors.InsufficientStorage(str(error))
    if isinstance(error, OperationalError):
        return _Unavailable("The database does not answer at the moment: try again in a few seconds.")
    return errors.ApiError(
        "An unexpected error prevented the server from fulfilling your request; "
        "its request id is in the x-openstack-request-id header."
    )


class _Unavailable(errors.ApiError):
    """The database is away: the request was not carried out and may be repeated."""

    status, title = 503, "Service Unavailable"
