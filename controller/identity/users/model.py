"""Rows of users."""

import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, UtcDateTime, new_hex, now


class User(Base):
    """A user. ``security_generation`` is in every token of the user: bumping it ends them all.

    ``extra`` holds the attributes of other names that clients may store (email, description).
    """

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("domain_id", "name"), Base.__table_args__)

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_hex)
    name: Mapped[str] = mapped_column(String(255))
    domain_id: Mapped[Id] = mapped_column(ForeignKey("projects.id"))
    default_project_id: Mapped[Id | None]
    is_enabled: Mapped[bool] = mapped_column(default=True)
    password_hash: Mapped[str | None] = mapped_column(String(128))
    security_generation: Mapped[int] = mapped_column(default=0)
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, default=now)
