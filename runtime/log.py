"""Logs of every process: oslo.log, each line with the request id it belongs to."""

import contextlib
import contextvars
import logging
import secrets
import uuid
from collections.abc import Iterator

from oslo_config import cfg
from oslo_log import log

_request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="-")


class _RequestIdFilter(logging.Filter):
    """Puts the current request id on every record, where the format strings look for it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _request_id.get()
        return True


def register(conf: cfg.ConfigOpts) -> None:
    """Makes oslo.log's options known; before ``settings.load``."""
    log.register_options(conf)
    line = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [%(request_id)s] %(message)s"
    log.set_defaults(
        logging_context_format_string=line,
        default_log_levels=[
            "amqp=ERROR",  # it warns of what it ignores when a channel is closed
            "amqplib=WARN",
            "oslo.messaging=WARN",
            "oslo_messaging=WARN",
            "sqlalchemy=WARN",
            "kombu=WARN",
            "urllib3=WARN",
            "ovsdbapp=WARN",
            "alembic=WARN",
        ],
    )
    conf.set_default("logging_default_format_string", line)
    conf.set_default("use_stderr", True)


def setup(conf: cfg.ConfigOpts, program: str) -> None:
    """Starts logging as the options say."""
    log.setup(conf, program)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_RequestIdFilter())


def new_request_id() -> str:
    """A request id in the form that OpenStack's clients look for: ``req-<uuid>``."""
    return f"req-{uuid.UUID(bytes=secrets.token_bytes(16), version=4)}"


def request_id() -> str:
    """The request that the current thread works for; ``-`` for none."""
    return _request_id.get()


@contextlib.contextmanager
def working_for(request: str) -> Iterator[None]:
    """Marks everything logged and sent inside as work for ``request``."""
    token = _request_id.set(request or "-")
    try:
        yield
    finally:
        _request_id.reset(token)
