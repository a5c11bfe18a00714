"""Rows of groups and their members."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, new_hex


class Group(Base):
    """Users of one domain or several, under a name."""

    __tablename__ = "user_groups"
    __table_args__ = (UniqueConstraint("domain_id", "name"), Base.__table_args__)

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_hex)
    name: Mapped[str] = mapped_column(String(255))
    domain_id: Mapped[Id] = mapped_column(ForeignKey("projects.id"))
    description: Mapped[str] = mapped_column(Text, default="")
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Membership(Base):
    """A user is in a group."""

    __tablename__ = "user_group_members"
    __table_args__ = (Index("ix_user_group_members_group_id", "group_id"), Base.__table_args__)

    user_id: Mapped[Id] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[Id] = mapped_column(ForeignKey("user_groups.id", ondelete="CASCADE"), primary_key=True)
