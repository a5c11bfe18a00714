"""Rows of projects and domains, their tags and their ancestors."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Generation, Id, new_hex

#: What ``domain_id`` of a domain is in the table: a domain is in none.
NO_DOMAIN = ""


class Project(Generation, Base):
    """A project, or a domain (``is_domain``, with ``domain_id`` empty).

    ``generation`` is bumped by every verb that counts the project's resources (projects.lock).
    ``extra`` holds the attributes of other names that keystone lets clients store.
    """

    __tablename__ = "projects"
    __table_args__ = (UniqueConstraint("domain_id", "name"), Base.__table_args__)

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_hex)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    domain_id: Mapped[Id]
    parent_id: Mapped[Id | None] = mapped_column(index=True)
    is_domain: Mapped[bool] = mapped_column(default=False)
    is_enabled: Mapped[bool] = mapped_column(default=True)
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class ProjectTag(Base):
    """One word that a project is marked with."""

    __tablename__ = "project_tags"
    __table_args__ = (Index("ix_project_tags_tag", "tag"), Base.__table_args__)

    project_id: Mapped[Id] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(255), primary_key=True)


class ProjectAncestor(Base):
    """One of the projects (or the domain) above a project: a parent never changes, so this is written once.

    Inherited role assignments and the trees of a project are found by it without recursion.
    """

    __tablename__ = "project_ancestors"
    __table_args__ = (Index("ix_project_ancestors_ancestor_id", "ancestor_id"), Base.__table_args__)

    project_id: Mapped[Id] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    ancestor_id: Mapped[Id] = mapped_column(primary_key=True)
    distance: Mapped[int]
