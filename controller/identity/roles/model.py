"""Rows of roles, of what they imply, and of the closure of that."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, new_hex


class Role(Base):
    """A role; ``domain_id`` is empty for one of the whole cloud."""

    __tablename__ = "roles"
    __table_args__ = (UniqueConstraint("domain_id", "name"), Base.__table_args__)

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_hex)
    name: Mapped[str] = mapped_column(String(255))
    domain_id: Mapped[Id] = mapped_column(default="")
    description: Mapped[str | None] = mapped_column(Text)
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Implication(Base):
    """Who has the prior role has the implied one too."""

    __tablename__ = "role_implications"

    prior_id: Mapped[Id] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
    implied_id: Mapped[Id] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)


class EffectiveRole(Base):
    """The closure of Implication, with every role implying itself: rewritten with each of its changes, so
    that a token is checked by one join and no process caches roles."""

    __tablename__ = "effective_roles"

    prior_id: Mapped[Id] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
    implied_id: Mapped[Id] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
