"""A process that is stopped in the middle of a transaction must not stop all others."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from controller.db import session as sessions
from controller.db.session import Database
from controller.identity.projects.model import Project


@pytest.fixture
def impatient(db: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The same database, by connections that may be silent for a second."""
    assert db.engine.dialect.name == "mysql", (
        "this is about MariaDB: writers of SQLite are threads of one process"
    )
    monkeypatch.setattr(sessions, "_SILENT_S", 1)
    database = Database(db.engine.url.render_as_string(hide_password=False))
    yield database
    database.close()


def touch(session: Session) -> None:
    session.execute(update(Project).values(generation=Project.generation + 1))


def test_a_writer_that_falls_silent_gives_its_locks_back(db: Database, impatient: Database) -> None:
    holds, passed = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def fall_silent(session: Session) -> None:
        touch(session)
        holds.set()
        assert passed.wait(60)

    def write() -> None:
        try:
            impatient.write(fall_silent)
        except DBAPIError as error:
            errors.append(error)

    silent = threading.Thread(target=write)
    silent.start()
    assert holds.wait(30)
    db.write(touch)
    passed.set()
    silent.join(30)
    assert errors, "a transaction that was cut off was taken for committed"
    impatient.write(touch)
