"""Fixtures of the volume service's tests: its default type, secrets, an engine with pretended hosts."""

import importlib.util
import pathlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from controller.db.sealed import MasterKey
from controller.db.session import Database
from controller.volume import secrets
from controller.volume.policies import RULES
from controller.volume.routes import SERVICE
from controller.volume.types.model import ensure_default_type


def _fake(name: str) -> Any:
    """A module of tests/fakes, which is no package."""
    path = pathlib.Path(__file__).parents[2] / "fakes" / f"{name}.py"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def volume_db(db: Database) -> Database:
    """A database with the default type."""
    secrets.configure(MasterKey(b"0" * 32))
    db.write(ensure_default_type)
    return db


@pytest.fixture
def engine(volume_db: Database) -> Iterator[Any]:
    """A running engine; add hosts by ``engine.host()``."""
    made = _fake("fake_volume_host").Engine(volume_db)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Waits until something holds."""

    def wait(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < deadline, "it did not come true in time"
            time.sleep(0.01)

    return wait


@pytest.fixture
def api(client_of: Callable[..., Any], volume_db: Database) -> Any:
    """The service's API; a token is written as in the shared fixtures."""
    return client_of(SERVICE, RULES)
