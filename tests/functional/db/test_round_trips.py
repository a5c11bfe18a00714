"""What is said to MariaDB beside the statements themselves: nothing but a commit."""

from collections.abc import Iterator
from typing import Any

import pymysql
import pytest
from sqlalchemy import select, update

from controller.db.session import Database
from controller.identity.projects.model import Project


@pytest.fixture
def said(db: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """All commands that connections send; those that are opened for both ways are warm."""
    assert db.engine.dialect.name == "mysql"
    with db.read() as session:
        session.scalar(select(Project.id))
    db.write(lambda s: s.scalar(select(Project.id)))
    seen: list[str] = []
    execute = pymysql.connections.Connection._execute_command

    def note(connection: Any, command: int, text: Any) -> Any:
        seen.append(text.decode() if isinstance(text, bytes) else str(text))
        return execute(connection, command, text)

    monkeypatch.setattr(pymysql.connections.Connection, "_execute_command", note)
    yield seen


def test_a_read_costs_its_statements(db: Database, said: list[str]) -> None:
    with db.read() as session:
        session.scalar(select(Project.id))
        session.scalar(select(Project.name))
    assert [text.split()[0] for text in said] == ["SELECT", "SELECT"]


def test_a_write_costs_its_statements_and_a_commit(db: Database, said: list[str]) -> None:
    db.write(lambda s: s.execute(update(Project).values(generation=Project.generation + 1)))
    assert [text.split()[0] for text in said] == ["UPDATE", "COMMIT"]


def test_a_failed_write_leaves_nothing_open(db: Database, said: list[str]) -> None:
    def verb(session: Any) -> None:
        session.execute(update(Project).values(generation=1000))
        raise ValueError

    with pytest.raises(ValueError):
        db.write(verb)
    assert [text.split()[0] for text in said] == ["UPDATE", "ROLLBACK"]
    assert db.write(lambda s: s.scalars(select(Project.generation)).first()) != 1000


def test_a_read_sees_what_was_committed_since(db: Database) -> None:
    with db.read() as session:
        before = session.scalar(select(Project.generation).limit(1))
        db.write(lambda s: s.execute(update(Project).values(generation=Project.generation + 1)))
        if db.engine.dialect.name == "mysql":
            assert session.scalar(select(Project.generation).limit(1)) == (before or 0) + 1
