"""``make migration MESSAGE=...``: writes the migration from the last one to what the models say now.

``--check`` only tells whether the models and the migrations agree, for CI.
"""

import importlib
import pathlib
import pkgutil
import subprocess
import sys
import tempfile

import click
import sqlalchemy
from alembic import autogenerate, command
from alembic.migration import MigrationContext

import controller
from controller.db import migrate
from controller.db.columns import Base


def _import_all() -> None:
    """Makes every model known to ``Base.metadata``."""
    for module in pkgutil.walk_packages(controller.__path__, "controller."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)


@click.command()
@click.argument("message", required=False)
@click.option("--check", is_flag=True, help="Only compare.")
def main(message: str | None, check: bool) -> None:
    """Write a migration, or compare."""
    _import_all()
    with tempfile.TemporaryDirectory() as directory:
        engine = sqlalchemy.create_engine(f"sqlite:///{directory}/migration.db")
        migrate.upgrade(engine)
        with engine.begin() as connection:
            if check:
                sys.exit(_compare(connection))
            written = command.revision(migrate.configuration(connection), message, autogenerate=True)
    path = pathlib.Path(written.path)  # type: ignore[union-attr]
    for arguments in (["check", "--fix", "-q"], ["format", "-q"]):
        subprocess.run([pathlib.Path(sys.executable).with_name("ruff"), *arguments, path], check=True)
    click.echo(path)


def _compare(connection: sqlalchemy.Connection) -> int:
    differences = autogenerate.compare_metadata(MigrationContext.configure(connection), Base.metadata)
    for difference in differences:
        click.echo(f"models and migrations differ: {difference}", err=True)
    if differences:
        click.echo("write the missing one: make migration MESSAGE='what it is for'", err=True)
    return 1 if differences else 0


if __name__ == "__main__":
    main()
