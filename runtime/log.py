"""Logs of every process: oslo.log, each line with the request id it belongs to."""

import contextlib
import contextvars
import logging
import os
import secrets
import sys
import uuid
from collections.abc import Iterator

from oslo_config import cfg
from oslo_log import log

_request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="-")


#: What a line begins with; the journal notes time and process itself, and takes the level as sd-daemon(3) says.
_OWN_HEAD = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s"
_JOURNAL_HEAD = "%(journal_level)s%(levelname)s %(name)s"
_JOURNAL_LEVELS = {
    logging.CRITICAL: "<2>",
    logging.ERROR: "<3>",
    logging.WARNING: "<4>",
    logging.DEBUG: "<7>",
}


class _RecordFilter(logging.Filter):
    """Puts the current request id and the journal's level on every record, where the format strings look."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _request_id.get()
        record.journal_level = _JOURNAL_LEVELS.get(record.levelno, "<6>")
        return True


def register(conf: cfg.ConfigOpts) -> None:
    """Makes oslo.log's options known; before ``settings.load``."""
    log.register_options(conf)
    head = _JOURNAL_HEAD if is_journal() else _OWN_HEAD
    line = f"{head} [%(request_id)s] %(message)s"
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
    conf.set_default("logging_exception_prefix", head)
    conf.set_default("use_stderr", True)


def setup(conf: cfg.ConfigOpts, program: str) -> None:
    """Starts logging as the options say."""
    log.setup(conf, program)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_RecordFilter())


def is_journal() -> bool:
    """Whether what is written to stderr goes to systemd's journal (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        stderr = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):  # closed, or no file
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stderr.st_dev}:{stderr.st_ino}"


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
