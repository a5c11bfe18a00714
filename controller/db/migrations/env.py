"""Run by Alembic: upgrades on the connection that it was given, or compares models with a database."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from controller.db.columns import Base, UtcDateTime

connection = context.config.attributes["connection"]


def render_item(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """Our own column types by their names."""
    if kind == "type" and isinstance(item, UtcDateTime):
        autogenerate.imports.add("from controller.db.columns import UtcDateTime")
        return "UtcDateTime()"
    return False


context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_item=render_item,
    compare_type=False,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
