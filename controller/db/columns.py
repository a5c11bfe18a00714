"""Columns and types that all tables share."""

import datetime
import secrets
import uuid
from typing import Annotated, Any

from sqlalchemy import DateTime, Dialect, MetaData, String, TypeDecorator
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

#: All text compares byte by byte, on MariaDB as on SQLite.
Id = Annotated[str, mapped_column(String(64))]


class Base(DeclarativeBase):
    """Root of all rows."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    __table_args__: Any = {
        "mysql_charset": "utf8mb4",
        "mysql_collate": "utf8mb4_bin",
        "mysql_engine": "InnoDB",
    }


class UtcDateTime(TypeDecorator[datetime.datetime]):
    """A moment in UTC with microseconds, without time zone on both sides."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """MariaDB keeps microseconds only when asked."""
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())


def now() -> datetime.datetime:
    """The current moment in UTC, naive as the columns are."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def new_uuid() -> str:
    """A resource id as nova, neutron, glance and cinder give: with dashes."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


def new_hex() -> str:
    """A resource id as keystone gives: 32 hexadecimal digits."""
    return new_uuid().replace("-", "")


class Timestamps:
    """When a row was made and last changed by a user."""

    created_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime, onupdate=now)


class Generation:
    """A counter that a verb bumps first, to lock the row before it counts or claims anything of it."""

    generation: Mapped[int] = mapped_column(default=0)
