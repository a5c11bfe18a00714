"""/healthcheck and /metrics, outside of any service: no token, no versions."""

from collections.abc import Iterable
from typing import Any

import msgspec
import prometheus_client
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from controller.db.session import Database


def health_app(db: Database) -> Any:
    """What answers paths that belong to no service."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if path == "/healthcheck":
            return _answer(start_response, *_health(db))
        if path == "/metrics":
            start_response("200 OK", [("Content-Type", prometheus_client.CONTENT_TYPE_LATEST)])
            return [prometheus_client.generate_latest()]
        return _answer(
            start_response,
            "404 Not Found",
            {"message": "No service here: the catalog ('openstack catalog list') has the paths."},
        )

    return serve


def _health(db: Database) -> tuple[str, dict[str, str]]:
    try:
        with db.read() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return "503 Service Unavailable", {"status": "DOWN", "reason": type(error).__name__}
    return "200 OK", {"status": "OK"}


def _answer(start_response: Any, status: str, body: dict[str, str]) -> list[bytes]:
    data = msgspec.json.encode(body)
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
    return [data]
