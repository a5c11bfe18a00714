"""What identity's API classes need beside the database: token keys and the memory of passwords.

``main`` makes one a process and hands it in as ``Cloud.tools["identity"]``.
"""

from dataclasses import dataclass

from oslo_config import cfg

from controller.db.sealed import MasterKey
from controller.db.session import Database
from controller.identity import options
from controller.identity.passwords import Passwords
from controller.identity.tokens.keys import KeyRing
from controller.web.resource import Cloud

NAME = "identity"


@dataclass(frozen=True)
class Tools:
    """See the module."""

    master: MasterKey
    keys: KeyRing
    passwords: Passwords
    lifetime_s: int


def make(conf: cfg.ConfigOpts, db: Database, master: MasterKey) -> Tools:
    """For one process."""
    options.register(conf)
    return Tools(master, KeyRing(db, master), Passwords.configured(conf), conf.identity.token_lifetime_s)


def of(cloud: Cloud) -> Tools:
    """Those that ``main`` handed in."""
    tools: Tools = cloud.tools[NAME]
    return tools
