"""``controller-manage move-database``: from SQLite to MariaDB, when a cloud outgrows one process, and back."""

import pathlib
import sys

import click
from oslo_config import cfg
from sqlalchemy import func, select

from controller.db import options as db_options
from controller.db.copy import CopyRefusedError, copy
from controller.db.session import Database
from controller.main import assembly, engine_assembly
from controller.operations.model import LIVE, Operation
from runtime import log, settings

#: They import every model: what is copied is what they know.
EVERY_SLICE = (assembly.SERVICES, engine_assembly.DEFINITIONS)

_url_file = click.Path(exists=True, dir_okay=False, path_type=pathlib.Path)


@click.command("move-database")
@click.option("--source-file", type=_url_file, help="File whose first line is the source's URL.")
@click.option("--target-file", type=_url_file, help="File whose first line is the target's URL.")
def move_database(source_file: pathlib.Path | None, target_file: pathlib.Path | None) -> None:
    """Copy the cloud's rows into another database, while nothing of the controller runs.

    The source is the configured database when no file is named. Without a target it is only said whether the
    database may be moved. URLs come in files (0600), since arguments can be read by every user. Afterwards set
    [database] connection to the target; hosts notice nothing.
    """
    log.register(cfg.CONF)
    db_options.register(cfg.CONF)
    conf = settings.load("controller-manage", [])
    source = Database(_url(source_file) if source_file else conf.database.connection)
    _refuse_while_operating(source)
    if target_file is None:
        click.echo("no operation is in progress: it may be moved")
        return
    target = Database(_url(target_file))
    try:
        click.echo(f"{copy(source.engine, target.engine)} rows copied")
    except CopyRefusedError as error:
        sys.exit(f"error: {error}")


def _refuse_while_operating(source: Database) -> None:
    with source.read() as session:
        count = session.scalar(select(func.count()).where(Operation.state.in_(LIVE)))
    if count:
        sys.exit(
            f"error: {count} operations are in progress ('controller-manage status' lists them): "
            "wait until they have ended, then try again"
        )


def _url(file: pathlib.Path) -> str:
    return file.read_text().split("\n", 1)[0].strip()
