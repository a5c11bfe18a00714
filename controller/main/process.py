"""What API, engine and manage have in common at start: settings, database, keys, policy."""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy.exc
from oslo_config import cfg

from controller.db import options as db_options
from controller.db.sealed import MasterKey
from controller.db.session import Database
from controller.main.keys import HostKeys
from runtime import log, settings
from runtime.settings import ConfigurationError


@dataclass(frozen=True)
class Process:
    """One process of the controller."""

    conf: cfg.ConfigOpts
    db: Database
    master_key: MasterKey
    keys: HostKeys


def prepare(conf: cfg.ConfigOpts, on_hint: Callable[[], None] = lambda: None) -> Process:
    """Opens the database and reads the master key. Raises ConfigurationError."""
    db_options.register(conf)
    master_key = MasterKey.load(conf)
    try:
        db = Database(conf.database.connection, on_hint)
    except (sqlalchemy.exc.ArgumentError, sqlalchemy.exc.NoSuchModuleError) as error:
        raise ConfigurationError(
            f"[database] connection: {error}. It is mysql+pymysql://user:password@address/cumulet, "
            "or sqlite:////path/of/a/file."
        ) from error
    return Process(conf, db, master_key, HostKeys(db, master_key))


def configured() -> Process:
    """What ``controller-manage`` works with, from the configuration files. Raises ConfigurationError."""
    log.register(cfg.CONF)
    settings.load("controller-manage", [])
    return prepare(cfg.CONF)
