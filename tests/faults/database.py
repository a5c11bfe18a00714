"""The cloud's database put aside and back, as docs/operations.md has it."""

import contextlib
import pathlib
import subprocess
from collections.abc import Iterator

from lab.up import places, supervisor
from lab.up.database import SOCKET
from tests.faults.cases import API, ENGINE
from tests.faults.cloud import Cloud

_NAME = "cumulet"


def dump(path: pathlib.Path) -> None:
    """A copy of the database as it is."""
    with path.open("wb") as file:
        options = ("--single-transaction", "--add-drop-database", "--databases", _NAME)
        subprocess.run(["mariadb-dump", f"--socket={SOCKET}", *options], stdout=file, check=True, timeout=120)


def load(path: pathlib.Path) -> None:
    """Puts a copy in the place of the database."""
    with path.open("rb") as file:
        subprocess.run(["mariadb", f"--socket={SOCKET}"], stdin=file, check=True, timeout=120)


def empty() -> None:
    """Makes a new database with its first rows."""
    statements = f"DROP DATABASE {_NAME}; CREATE DATABASE {_NAME} CHARACTER SET utf8mb4"
    _run("mariadb", f"--socket={SOCKET}", "-e", statements)
    manage = places.tool("controller-manage")
    password = str(places.CONFIG / "admin-password")
    _run(manage, "migrate")
    _run(manage, "bootstrap", "--admin-password-file", password, "--url", places.API_URL)


@contextlib.contextmanager
def controller_stopped(cloud: Cloud) -> Iterator[None]:
    """Nobody of the controller runs meanwhile."""
    supervisor.stop_programs([API, ENGINE])
    yield
    cloud.db.close()
    supervisor.start_programs([API, ENGINE])


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=120)
