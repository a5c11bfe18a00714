"""Secrets of exports, sealed in the database. ``main`` hands the master key in at the start of a process."""

import secrets

from controller.db.sealed import MasterKey
from runtime.settings import ConfigurationError

_held: dict[str, MasterKey] = {}


def configure(master_key: MasterKey) -> None:
    """Seals and opens with this key from now on."""
    _held["key"] = master_key


def seal(text: str) -> str:
    """What may be stored. Raises ConfigurationError when the process has no master key."""
    return _key().seal(text.encode())


def opened(sealed: str) -> str:
    """The secret. Raises ConfigurationError."""
    return _key().open(sealed).decode()


def new_chap() -> tuple[str, str]:
    """A user name and password: 16 characters of the password are what every initiator takes."""
    return f"c{secrets.token_hex(7)}", secrets.token_hex(8)


def _key() -> MasterKey:
    if "key" not in _held:
        raise ConfigurationError(
            "volume secrets have no master key: controller.volume.secrets.configure first"
        )
    return _held["key"]
