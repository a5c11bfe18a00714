"""SQLite as the cloud's database: WAL, every commit on disk, writers begin by taking the lock."""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
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
#: How long a writer waits for one that knows nothing of ``alone`` (the program ``sqlite3``).
_PATIENCE_S = 30
#: Files beside it that processes lock: the one that writes, and the one whose turn is next.
_WRITER, _NEXT = "-writer", "-next"


def engine(url: str) -> sqlalchemy.Engine:
    """Connections to the file of ``url``, which is made (0600) if it is missing."""
    if database := _file(make_url(url).database):
        _make(database)
    result = sqlalchemy.create_engine(
        url,
        connect_args={"timeout": _PATIENCE_S},
        hide_parameters=True,
        json_deserializer=msgspec.json.decode,
    )
    event.listen(result, "connect", _prepare)
    event.listen(result, "begin", _begin)
    return result


@contextlib.contextmanager
def alone(engine: sqlalchemy.Engine) -> Iterator[None]:
    """No other process (``controller-manage``) writes meanwhile, and of two neither overtakes the other.

    SQLite itself has a writer look again after up to 100 ms, and again, while those who need not sleep take turns:
    beside eight threads that wrote, one write of another process in a hundred took 0.25 to 0.8 s.
    """
    with contextlib.ExitStack() as held:
        if database := _file(engine.url.database):
            with _locked(f"{database}{_NEXT}"):
                held.enter_context(_locked(f"{database}{_WRITER}"))
        yield


def is_full(error: BaseException | None) -> bool:
    """Whether SQLite found no space to write."""
    return (
        isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    )


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    file = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)  # closed only, it would stay with a child that is just being started
        os.close(file)


def _file(database: str | None) -> str | None:
    return None if database == ":memory:" else database


def _make(database: str) -> None:
    """SQLite gives its journal files the mode and owner of the database; ours get them here."""
    for path in (f"{database}{end}" for end in ("", _WRITER, _NEXT)):
        if not os.path.exists(path):
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            if os.geteuid() == 0:
                owner = os.stat(database)
                os.chown(path, owner.st_uid, owner.st_gid)


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sqlalchemy.Connection) -> None:
    is_reading = connection.get_execution_options().get(READING)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")
