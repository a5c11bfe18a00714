"""What every resource of neutron has: owner, description, revision and times; columns and fields."""

import datetime
from collections.abc import Sequence
from typing import Any

from sqlalchemy import String, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db.columns import Id, UtcDateTime, now
from controller.network import refusals
from controller.web import schema
from controller.web.fields import Field, View, boolean, exact, number, time_text

#: The owner may be given under two names; ``bodies`` reads it, the table only announces it.
OWNER: schema.Schema = {"type": "string", "maxLength": 64, "pattern": r"^[^\x00-\x20\x7f]*$"}
#: Descriptions may have several lines: they reach nothing but the database.
DESCRIPTION: schema.Schema = {"type": "string", "maxLength": 255, "pattern": r"^[^\x00]*$"}


class Owned:
    """Columns of every resource: whose it is, and ``generation``, which is bumped as a lock."""

    project_id: Mapped[Id] = mapped_column(index=True)
    generation: Mapped[int] = mapped_column(default=0)


class Standard(Owned):
    """Columns of most resources. ``revision_number`` is for clients."""

    description: Mapped[str] = mapped_column(String(255), default="")
    revision_number: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, default=now)


def touch(row: Any) -> None:
    """Notes that a user changed the row."""
    row.revision_number += 1
    row.updated_at = now()


def lock(session: Session, model: Any, ids: Sequence[str]) -> int:
    """Makes other verbs on these rows stand in line, in the order of ids; says how many rows there are."""
    found = 0
    for row_id in sorted(ids):
        bumped = session.execute(
            update(model).where(model.id == row_id).values(generation=model.generation + 1),
            execution_options={"synchronize_session": False},
        )
        found += bumped.rowcount  # type: ignore[attr-defined]
    return found


def lock_row(session: Session, row: Any, words: str) -> None:
    """As ``lock``, for a row that was read before: it is as it is now. ``words`` is what a user calls it.

    Raises NotFound for one that went meanwhile.
    """
    if not lock(session, type(row), [row.id]):
        raise refusals.missing(words, row.id)
    session.refresh(row)


def _shown_time(attribute: str) -> Any:
    return lambda row, _view: time_text(getattr(row, attribute))


def _tags(row: Any, view: View) -> list[str]:
    tags: list[str] = view.of("tags", row.id, [])
    return tags


OWNER_FIELDS = (
    Field(name="project_id", schema=OWNER, create=True, filter=exact, sort=True),
    Field(name="tenant_id", attr="project_id", schema=OWNER, create=True, filter=exact, sort=True),
)

STANDARD_FIELDS = (
    *OWNER_FIELDS,
    Field(
        name="description",
        schema=DESCRIPTION,
        create=True,
        update=True,
        default="",
        filter=exact,
        sort=True,
    ),
    Field(name="revision_number", filter=number, sort=True),
    Field(name="created_at", show=_shown_time("created_at"), sort=True),
    Field(name="updated_at", show=_shown_time("updated_at"), sort=True),
    Field(name="tags", show=_tags),
)

NAME = Field(
    name="name", schema=schema.NAME_OR_EMPTY, create=True, update=True, default="", filter=exact, sort=True
)

QOS_POLICY = Field(
    name="qos_policy_id", schema=schema.nullable(schema.UUID), create=True, update=True, filter=exact
)

ADMIN_STATE = Field(
    name="admin_state_up",
    attr="is_admin_up",
    schema=schema.LOOSE_BOOLEAN,
    create=True,
    update=True,
    default=True,
    store=schema.as_bool,
    filter=boolean,
    sort=True,
)
