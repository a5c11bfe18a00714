"""Takes everything from one database to another: whatever kind they are, the rows are the same."""

import sqlalchemy
from sqlalchemy.orm import Session

from controller.db import migrate
from controller.db.columns import Base
from controller.db.mark import database_id

_CHUNK = 500


class CopyRefusedError(Exception):
    """Nothing was copied: the message says why, and what to do."""


def copy(source: sqlalchemy.Engine, target: sqlalchemy.Engine) -> int:
    """Has ``target`` hold what ``source`` holds, in one transaction; the number of rows.

    All models must have been imported. An earlier copy in the target is replaced, another cloud is not.
    Raises CopyRefusedError.
    """
    _same_schema(source, target)
    tables = Base.metadata.sorted_tables
    with source.connect() as reader, target.begin() as writer:
        _same_cloud(reader, writer)
        for table in reversed(tables):
            writer.execute(table.delete())
        return sum(_copy_table(reader, writer, table) for table in tables)


def _copy_table(reader: sqlalchemy.Connection, writer: sqlalchemy.Connection, table: sqlalchemy.Table) -> int:
    count = 0
    order = [column for column in (table.c.get("created_at"), *table.primary_key) if column is not None]
    for rows in reader.execute(table.select().order_by(*order)).mappings().partitions(_CHUNK):
        writer.execute(table.insert(), [dict(row) for row in rows])
        count += len(rows)
    return count


def _same_schema(source: sqlalchemy.Engine, target: sqlalchemy.Engine) -> None:
    migrate.upgrade(target)
    if migrate.current(source) != migrate.current(target):
        raise CopyRefusedError(
            "the source has an older schema than this version's: run 'controller-manage migrate' on it first"
        )


def _same_cloud(reader: sqlalchemy.Connection, writer: sqlalchemy.Connection) -> None:
    theirs = _database_id(writer)
    if theirs and theirs != _database_id(reader):
        raise CopyRefusedError("the target holds another cloud: name an empty database")


def _database_id(connection: sqlalchemy.Connection) -> str:
    with Session(connection, join_transaction_mode="conditional_savepoint") as session:
        try:
            return database_id(session)
        except LookupError:
            return ""
