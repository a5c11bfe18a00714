"""A database whose requests are undone after each: what a test sends meets the same world every time.

From ``hold()`` on everything happens in one transaction of one connection, each write in a savepoint;
``undo()`` takes back what came since. Values that MariaDB refuses and SQLite takes are refused as well, so
that a text that is too long for its column is found on either.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import BigInteger, Integer, String, event, func, select
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Mapper, Session

from controller.db.columns import Base
from controller.db.session import Database

Result = TypeVar("Result")


class Rehearsal(Database):
    """See the module. Before ``hold`` it is as any other database."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._connection: sqlalchemy.Connection | None = None
        self._tables = Base.metadata.sorted_tables  # which sorts them anew whenever it is asked
        tables = [select(func.count()).select_from(t).scalar_subquery() for t in self._tables]
        self._count = select(*tables)

    @property
    def is_held(self) -> bool:
        """Whether all is undone."""
        return self._connection is not None

    def hold(self) -> None:
        """From here on all is undone."""
        self._connection = self.engine.connect()
        self._connection.begin()

    def undo(self) -> None:
        """Back to how it was."""
        assert self._connection is not None
        transaction = self._connection.get_transaction()
        assert transaction is not None
        transaction.rollback()
        self._connection.begin()

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        assert self._connection is not None
        counted = self._connection.execute(self._count).one()
        return {t.name: n for t, n in zip(self._tables, counted, strict=True)}

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """As the original, within the transaction that is held."""
        if self._connection is None:
            with super().read() as session:
                yield session
            return
        with self._session(autoflush=False) as session:
            yield session

    def write(self, verb: Callable[[Session], Result]) -> Result:
        """As the original, within the transaction that is held."""
        if self._connection is None:
            return super().write(verb)
        with self._session(expire_on_commit=False) as session, session.begin():
            return verb(session)

    def close(self) -> None:
        """Undoes, and gives all connections back."""
        if self._connection is not None:
            self._connection.close()
        super().close()

    def _session(self, **options: Any) -> Session:
        return Session(self._connection, join_transaction_mode="create_savepoint", **options)


def _fits(column: Any, value: Any) -> bool:
    if isinstance(column.type, String) and isinstance(value, str) and column.type.length:
        return len(value) <= column.type.length
    if isinstance(column.type, Integer) and isinstance(value, int):
        bits = 63 if isinstance(column.type, BigInteger) else 31
        return -(1 << bits) <= value < 1 << bits
    return True


def _refuse_what_does_not_fit(mapper: Mapper[Any], _connection: Any, target: Any) -> None:
    for attribute in mapper.column_attrs:
        column, value = attribute.columns[0], getattr(target, attribute.key)
        if not _fits(column, value):
            raise DataError(f"{column} cannot hold {str(value)[:40]!r}", None, ValueError("too long"))


event.listen(Base, "before_insert", _refuse_what_does_not_fit, propagate=True)
event.listen(Base, "before_update", _refuse_what_does_not_fit, propagate=True)
