"""The only two ways into the database: ``read()`` and ``write()``.

``write`` takes the whole verb, because the whole verb is repeated when the database asks for it
(deadlock, lock wait, snapshot conflict). On SQLite writers stand in line before they begin, in
the process and then among processes, since SQLite itself answers "locked". No network, no bcrypt, no
waiting inside ``write``.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
import sqlalchemy
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import Session

from controller.db import sqlite
from controller.db.line import Line
from runtime.trouble import Trouble

LOG = logging.getLogger(__name__)
Result = TypeVar("Result")

#: MariaDB: deadlock, lock wait time-out, record changed since last read.
_REPEATABLE = {1213, 1205, 1020}
_ATTEMPTS = 8
#: Key in ``Session.info`` that says that the outbox got a row.
_HINTED = "hinted"
#: Key in a pooled connection's ``info``: when it was last given back.
_USED_AT = "cumulet_used_at"
#: The quickest restart of a database takes longer.
_RESTED_S = 0.5
#: MariaDB: a table, or the disk under it, is full.
_FULL = {1114, 1021}
#: A transaction that says nothing for so long is cut off: its process was stopped, or its host is gone without a
#: word, and all others would wait for its locks.
_SILENT_S = 10


class DatabaseFullError(Trouble):
    """There is no space to write: nothing of the transaction was."""


class Database:
    """One process's database. ``on_hint`` is called after a commit that wrote to the outbox."""

    def __init__(self, url: str, on_hint: Callable[[], None] = lambda: None) -> None:
        self.on_hint = on_hint
        self.engine = _engine(url)
        self._is_sqlite = self.engine.dialect.name == "sqlite"
        self._reading = (
            self.engine.execution_options(**{sqlite.READING: True})
            if self._is_sqlite
            else _mariadb(url, "AUTOCOMMIT", skip_autocommit_rollback=True)
        )
        self._writers = Line()

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A session to look with: nothing may be changed through it."""
        with Session(self._reading, autoflush=False) as session:
            yield session

    def write(self, verb: Callable[[Session], Result]) -> Result:
        """Runs ``verb`` in one transaction and commits; repeats it where the database says so.

        Raises DatabaseFullError.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._attempt(verb)
            except DBAPIError as error:
                if _is_full(error):
                    raise DatabaseFullError(
                        "The database's disk is full: free space and try again."
                    ) from error
                if attempt == _ATTEMPTS or not _is_repeatable(error):
                    raise
                LOG.info("transaction repeated (%d): %s", attempt, error.orig)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Gives all connections back."""
        self.engine.dispose()
        self._reading.dispose()

    def _attempt(self, verb: Callable[[Session], Result]) -> Result:
        with self._line(), Session(self.engine, expire_on_commit=False) as session:
            with session.begin():
                result = verb(session)
            is_hinted = bool(session.info.get(_HINTED))
        if is_hinted:
            self.on_hint()
        return result

    @contextlib.contextmanager
    def _line(self) -> Iterator[None]:
        if not self._is_sqlite:
            yield
            return
        with self._writers, sqlite.alone(self.engine):
            yield


def hinted(session: Session) -> None:
    """Notes that the outbox got a row: the engine is told after the commit."""
    session.info[_HINTED] = True


def _engine(url: str) -> sqlalchemy.Engine:
    return sqlite.engine(url) if url.startswith("sqlite") else _mariadb(url, "READ COMMITTED")


def _mariadb(url: str, isolation_level: Any, **more: Any) -> sqlalchemy.Engine:
    """Connections that stay as they were opened: readers and writers do not share any.

    Changing the isolation level of one and back, and a reset when it is returned, were six round trips beside
    the one of the query (a list of two statements took 14). Nothing is left to reset: a session
    of ``read`` changes nothing, one of ``write`` ends by commit or rollback.
    """
    engine = sqlalchemy.create_engine(
        url,
        isolation_level=isolation_level,
        pool_size=16,
        max_overflow=16,
        pool_recycle=3600,
        pool_pre_ping=False,
        pool_reset_on_return=None,
        query_cache_size=1200,
        hide_parameters=True,
        json_deserializer=msgspec.json.decode,
        connect_args={
            "charset": "utf8mb4",
            "init_command": f"SET time_zone='+00:00', idle_transaction_timeout={_SILENT_S}",
        },
        **more,
    )
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _prove_alive)
    return engine


def _note_use(_connection: Any, record: Any) -> None:
    record.info[_USED_AT] = time.monotonic()


def _prove_alive(connection: Any, record: Any, _proxy: Any) -> None:
    """A connection that rested is asked whether it lives: a database that was started anew has cut all of
    them, and the first request after that should not be the one that finds out."""
    if time.monotonic() - record.info.get(_USED_AT, time.monotonic()) < _RESTED_S:
        return
    try:
        connection.ping(reconnect=False)
    except Exception as error:
        raise InvalidatePoolError from error


def _is_full(error: DBAPIError) -> bool:
    return sqlite.is_full(error.orig) or _code(error) in _FULL


def _is_repeatable(error: DBAPIError) -> bool:
    return _code(error) in _REPEATABLE


def _code(error: DBAPIError) -> object:
    """MariaDB's number of the error."""
    arguments: tuple[object, ...] = getattr(error.orig, "args", ())
    return arguments[0] if arguments else None
