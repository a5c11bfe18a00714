"""A cloud's rows in another database: all of them, and back, and nobody else's are replaced."""

import pathlib
from collections.abc import Iterator

import pytest
from alembic import command
from click.testing import CliRunner
from oslo_config import cfg
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from controller.db import migrate
from controller.db.columns import Base, now
from controller.db.copy import CopyRefusedError, copy
from controller.db.mark import ensure_database_id
from controller.db.session import Database
from controller.main import move_database
from controller.operations.model import Operation
from tests.fakes.whole_controller import Whole
from tests.functional.mariadb import MariaDb

Rows = dict[str, list[tuple[object, ...]]]


@pytest.fixture
def small(tmp_path: pathlib.Path) -> Iterator[Database]:
    """A cloud that has something of every kind, on SQLite."""
    whole = Whole(f"sqlite:///{tmp_path}/small.db", tmp_path)
    whole.db.close()
    database = Database(f"sqlite:///{tmp_path}/small.db")
    with database.engine.begin() as connection:
        command.stamp(migrate.configuration(connection), "head")
    database.write(ensure_database_id)
    yield database
    database.close()


@pytest.fixture
def large(mariadb: MariaDb) -> Iterator[Database]:
    """A MariaDB without tables."""
    mariadb.forget()
    database = Database(mariadb.url)
    yield database
    database.close()
    mariadb.forget()


def rows(database: Database) -> Rows:
    """Everything that it holds."""
    with database.engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr)
            for table in Base.metadata.sorted_tables
        }


def test_there_and_back(small: Database, large: Database, tmp_path: pathlib.Path) -> None:
    before = rows(small)
    count = sum(map(len, before.values()))
    assert count > 100
    assert copy(small.engine, large.engine) == count
    assert rows(large) == before
    assert copy(small.engine, large.engine) == count, "a second time replaces the first"
    back = Database(f"sqlite:///{tmp_path}/back.db")
    assert copy(large.engine, back.engine) == count
    assert rows(back) == before
    back.close()


def test_another_cloud_is_not_replaced(small: Database, large: Database) -> None:
    migrate.upgrade(large.engine)
    large.write(ensure_database_id)
    before = rows(large)
    with pytest.raises(CopyRefusedError, match="another cloud"):
        copy(small.engine, large.engine)
    assert rows(large) == before


def test_a_copy_that_fails_leaves_the_target_as_it_was(
    small: Database, large: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy(small.engine, large.engine)
    before = rows(large)
    ports = Base.metadata.tables["ports"]
    monkeypatch.setattr(ports, "insert", lambda: text("INSERT INTO nothing VALUES (1)"))
    with pytest.raises(ProgrammingError):
        copy(small.engine, large.engine)
    assert rows(large) == before


def test_it_is_refused_while_operations_run(small: Database, tmp_path: pathlib.Path) -> None:
    source = tmp_path / "source"
    source.write_text(f"{small.engine.url.render_as_string(hide_password=False)}\n")
    arguments = ["--source-file", str(source)]
    idle = CliRunner().invoke(move_database.move_database, arguments)
    assert (idle.exit_code, idle.output) == (0, "no operation is in progress: it may be moved\n")
    small.write(lambda session: session.add(_operation()))
    cfg.CONF.reset()  # each time it is a process of its own
    refused = CliRunner().invoke(move_database.move_database, arguments)
    assert refused.exit_code == 1
    assert "1 operations are in progress" in refused.output


def _operation() -> Operation:
    return Operation(
        id="o",
        kind="server.boot",
        action="create",
        subject="server:s",
        project_id="p",
        user_id="u",
        request_id="r",
        state="running",
        started_at=now(),
    )
