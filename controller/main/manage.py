"""controller-manage: what operators do by hand."""

import runtime.lean  # noqa: F401, I001  must come before what might import eventlet

import pathlib
import secrets
import sys

import click
from oslo_config import cfg

from controller.db import migrate as migrations
from controller.db import options as db_options
from controller.db.agents import Host
from controller.db.mark import ensure_database_id
from controller.db.sealed import OPTIONS as SEALED_OPTIONS
from controller.db.session import Database
from controller.identity import options as identity_options
from controller.identity.bootstrap import Beginning
from controller.identity.bootstrap import bootstrap as bootstrap_identity
from controller.identity.passwords import Passwords
from controller.identity.tokens import keys as token_keys
from controller.main.doctor import doctor
from controller.main.look.status import status
from controller.main.look.timeline import timeline
from controller.main.look.trace_packet import trace_packet
from controller.main.look.why import why
from controller.main.move_database import move_database
from controller.main.process import Process, prepare
from controller.volume.types.model import ensure_default_type
from runtime import log, settings


def _configure() -> cfg.ConfigOpts:
    log.register(cfg.CONF)
    db_options.register(cfg.CONF)
    cfg.CONF.register_opts(SEALED_OPTIONS)
    conf = settings.load("controller-manage", [])
    conf.set_override("default_log_levels", ["sqlalchemy=WARN", "oslo=WARN"])
    return conf


def _process() -> Process:
    return prepare(_configure())


@click.group()
def cli() -> None:
    """What operators of Cumulet do by hand; every command may be repeated."""


@cli.command()
def migrate() -> None:
    """Bring the database to the newest schema, and give a new one its id."""
    db = Database(_configure().database.connection)
    migrations.upgrade(db.engine)
    db.write(ensure_database_id)
    click.echo(f"database is at revision {migrations.current(db.engine)}")


@cli.command()
@click.option(
    "--admin-password-file",
    type=click.Path(exists=True, dir_okay=False),
    required=True,
    help="File whose first line is the password of the user admin.",
)
@click.option("--url", required=True, help="Base URL of all services, such as http://192.0.2.1:5000.")
@click.option("--region", default="RegionOne", show_default=True)
def bootstrap(admin_password_file: str, url: str, region: str) -> None:
    """Make the master key, the first user, roles, and the catalog."""
    conf = _configure()
    _ensure_master_key(pathlib.Path(conf.master_key_file))
    process = prepare(conf)
    password = pathlib.Path(admin_password_file).read_text().splitlines()[0]
    identity_options.register(conf)
    beginning = Beginning(password, url.rstrip("/"), region)
    bootstrap_identity(process.db, process.master_key, Passwords.configured(conf), beginning)
    process.db.write(ensure_default_type)
    click.echo(f"catalog of {region} at {url}")


@cli.command("host-key")
@click.argument("host")
@click.option("--new", is_flag=True, help="Make a new key: the old one stops working within 30 s.")
def host_key(host: str, new: bool) -> None:
    """Print the key of HOST, made if it has none: for /etc/cumulet/host.key there (0600)."""
    process = _process()

    def ensure(session: object) -> str:
        row = session.get(Host, host)  # type: ignore[attr-defined]
        if row is None or new:
            sealed = process.master_key.seal(secrets.token_bytes(32))
            if row is None:
                session.add(Host(name=host, sealed_key=sealed))  # type: ignore[attr-defined]
            else:
                row.sealed_key = sealed
            return sealed
        return str(row.sealed_key)

    click.echo(process.master_key.open(process.db.write(ensure)).hex())


@cli.command("rotate-token-keys")
def rotate_token_keys() -> None:
    """Make a new key for tokens; old tokens stay valid, unless this is done more often than they live."""
    process = _process()
    identity_options.register(process.conf)
    keep = process.conf.identity.token_keys
    process.db.write(lambda session: token_keys.rotate(session, process.master_key, keep))
    click.echo(f"new tokens have a new key; the newest {keep} keys are valid")


cli.add_command(doctor)
cli.add_command(move_database)
cli.add_command(status)
cli.add_command(timeline)
cli.add_command(trace_packet)
cli.add_command(why)


def _ensure_master_key(path: pathlib.Path) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secrets.token_hex(32) + "\n")


def main() -> None:
    """The entry point."""
    try:
        cli()
    except settings.ConfigurationError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(78)
