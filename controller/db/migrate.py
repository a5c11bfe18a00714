"""Brings a database to the newest schema: Alembic, driven from Python."""

import pathlib

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext

_SCRIPTS = pathlib.Path(__file__).parent / "migrations"


def configuration(connection: sqlalchemy.Connection | None = None) -> Config:
    """Alembic's configuration for our migrations."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: sqlalchemy.Engine) -> None:
    """Runs what is missing."""
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "head")


def current(engine: sqlalchemy.Engine) -> str:
    """The schema's revision."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or "none"
