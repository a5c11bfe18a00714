"""SQLite as the cloud's database: WAL, every commit on disk, writers begin by taking the lock."""

import os
import pathlib
import sqlite3
from typing import Any

import msgspec
import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import make_url

#: Execution option of connections that only read: they neither wait for writers nor stop them.
READING = "cumulet_reading"

#: Every commit is on disk when it returns: an agent must not know more than the database after a power cut.
#: It takes 0.7 ms where NORMAL takes 0.01.
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "journal_size_limit=16777216")
#: How long a writer waits for one of another process (``controller-manage``).
_PATIENCE_S = 30


def engine(url: str) -> sqlalchemy.Engine:
    """Connections to the file of ``url``, which is made (0600) if it is missing."""
    _make(make_url(url).database)
    result = sqlalchemy.create_engine(
        url,
        connect_args={"timeout": _PATIENCE_S},
        hide_parameters=True,
        json_deserializer=msgspec.json.decode,
    )
    event.listen(result, "connect", _prepare)
    event.listen(result, "begin", _begin)
    return result


def is_full(error: BaseException | None) -> bool:
    """Whether SQLite found no space to write."""
    return (
        isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    )


def _make(database: str | None) -> None:
    """The journal files beside it take its mode."""
    if database and database != ":memory:" and not pathlib.Path(database).exists():
        os.close(os.open(database, os.O_CREAT | os.O_RDWR, 0o600))


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sqlalchemy.Connection) -> None:
    is_reading = connection.get_execution_options().get(READING)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")
