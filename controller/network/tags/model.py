"""Rows of tags, what resources carry which, and lists narrowed by tags."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Index, Select, String, delete, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db.columns import Base, Id


class Tag(Base):
    """One tag of one resource."""

    __tablename__ = "network_tags"
    __table_args__ = (Index("ix_network_tags_tag", "tag"), Base.__table_args__)

    resource_id: Mapped[Id] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(String(255), primary_key=True)


def of(session: Session, ids: Iterable[str]) -> dict[str, list[str]]:
    """Tags by resource."""
    found: dict[str, list[str]] = {}
    statement = select(Tag.resource_id, Tag.tag).where(Tag.resource_id.in_(list(ids))).order_by(Tag.tag)
    for resource_id, tag in session.execute(statement):
        found.setdefault(resource_id, []).append(tag)
    return found


def replace(session: Session, resource_id: str, tags: Iterable[str]) -> None:
    """Gives a resource exactly these tags."""
    forget(session, resource_id)
    rows = [{"resource_id": resource_id, "tag": tag} for tag in dict.fromkeys(tags)]
    if rows:
        session.execute(insert(Tag), rows)


def forget(session: Session, *resource_ids: str) -> None:
    """Removes all tags of resources that go."""
    session.execute(delete(Tag).where(Tag.resource_id.in_(resource_ids)))


def refine(statement: Select[Any], model: Any, params: Mapping[str, list[str]]) -> Select[Any]:
    """Narrows a list by tags, tags-any, not-tags and not-tags-any."""
    for name, is_all, is_wanted in (
        ("tags", True, True),
        ("tags-any", False, True),
        ("not-tags", True, False),
        ("not-tags-any", False, False),
    ):
        wanted = {tag for text in params.get(name, []) for tag in text.split(",") if tag}
        if not wanted:
            continue
        having = select(Tag.resource_id).where(Tag.tag.in_(wanted))
        if is_all:
            having = having.group_by(Tag.resource_id).having(func.count() == len(wanted))
        statement = statement.where(model.id.in_(having) if is_wanted else model.id.not_in(having))
    return statement
