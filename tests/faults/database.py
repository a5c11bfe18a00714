"""The cloud's database put aside and back, as docs/operations.md has it."""

import contextlib
import pathlib
import shutil
import subprocess
from collections.abc import Iterator
from typing import Protocol

from lab.up import places, profile, supervisor
from lab.up.database import SOCKET
from tests.faults.cases import API, ENGINE
from tests.faults.cloud import Cloud

#: The file of the embedded profile; the journal is beside it.
FILE = places.STATE / "cumulet.db"
_NAME = "cumulet"


class Kind(Protocol):
    """What is done with a database of some kind."""

    def dump(self, path: pathlib.Path) -> None:
        """Makes a copy of the database as it is."""

    def load(self, path: pathlib.Path) -> None:
        """Puts a copy in the place of the database."""

    def remove(self) -> None:
        """Takes it away; a file, or an empty database, is made anew by ``controller-manage migrate``."""


class MariaDb:
    """The full profile's."""

    def dump(self, path: pathlib.Path) -> None:
        with path.open("wb") as file:
            options = ("--single-transaction", "--add-drop-database", "--databases", _NAME)
            command = ["mariadb-dump", f"--socket={SOCKET}", *options]
            subprocess.run(command, stdout=file, check=True, timeout=120)

    def load(self, path: pathlib.Path) -> None:
        with path.open("rb") as file:
            subprocess.run(["mariadb", f"--socket={SOCKET}"], stdin=file, check=True, timeout=120)

    def remove(self) -> None:
        statements = f"DROP DATABASE {_NAME}; CREATE DATABASE {_NAME} CHARACTER SET utf8mb4"
        _run("mariadb", f"--socket={SOCKET}", "-e", statements)


class Sqlite:
    """The embedded profile's."""

    def dump(self, path: pathlib.Path) -> None:
        _run("sqlite3", str(FILE), f".backup '{path}'")

    def load(self, path: pathlib.Path) -> None:
        self.remove()
        for part in parts(path):
            shutil.copy(part, FILE.with_name(part.name.replace(path.name, FILE.name)))

    def remove(self) -> None:
        for part in parts(FILE):
            part.unlink()


def of(cloud: Cloud) -> Kind:
    """What a cloud has."""
    return Sqlite() if cloud.profile == profile.EMBEDDED else MariaDb()


def parts(path: pathlib.Path) -> list[pathlib.Path]:
    """A file of SQLite, and those of its journal that are there."""
    return [part for suffix in ("", "-wal", "-shm") if (part := path.with_name(path.name + suffix)).exists()]


def make_new(cloud: Cloud) -> None:
    """A new database with its first rows is in the place of the one that was."""
    of(cloud).remove()
    manage = places.tool("controller-manage")
    password = str(places.CONFIG / "admin-password")
    _run(manage, "migrate")
    _run(manage, "bootstrap", "--admin-password-file", password, "--url", places.API_URL)


@contextlib.contextmanager
def controller_stopped(cloud: Cloud) -> Iterator[None]:
    """Nobody of the controller runs meanwhile."""
    programs = sorted({cloud.process_of(name) for name in (API, ENGINE)})
    supervisor.stop_programs(programs)
    cloud.db.close()  # a file must not be exchanged under who has it open
    yield
    supervisor.start_programs(programs)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=120)
