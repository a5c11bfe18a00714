"""A database without space says so, keeps what it has, and goes on when there is space again."""

import pathlib
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from controller.db.session import Database


@pytest.fixture
def disk(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A small file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def db(disk: pathlib.Path, empty_databases: Callable[[pathlib.Path], None]) -> Iterator[Database]:
    empty_databases(disk / "test.db")
    database = Database(f"sqlite:///{disk}/test.db")
    yield database
    database.close()


def fill(path: pathlib.Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def names(api: Any) -> set[str]:
    return {network["name"] for network in api.get("/v2.0/networks").json["networks"]}


def test_a_full_disk_is_said_and_heals(
    api: Any, make: Any, disk: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    make("network", name="before")
    fill(disk / "filler")
    refused: list[Any] = []
    while not refused:  # what is left of the journal's file takes some more
        answer = api.post(
            "/v2.0/networks", {"network": {"name": f"n{len(names(api))}", "description": "x" * 200}}
        )
        refused = [answer] if answer.status_code != 201 else []
    told = names(api)
    assert refused[0].status_code == 507, refused[0].text
    assert "free space" in refused[0].json["NeutronError"]["message"]
    assert api.post("/v2.0/networks", {"network": {"name": "again"}}).status_code == 507
    assert names(api) == told
    assert "The database's disk is full" in caplog.text and "Traceback" not in caplog.text
    (disk / "filler").unlink()
    make("network", name="after")
    assert names(api) == told | {"after"}
