"""What would fail late and darkly is found at once, and told with its remedy."""

import collections
import pathlib
import shutil
import socket

import pytest

from lab.up import conditions, places
from lab.up.step import StepError


@pytest.fixture
def fresh(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A machine on which nothing of ours runs, and a port that is free."""
    monkeypatch.setattr(places, "STATE", tmp_path)
    monkeypatch.setattr(places, "RUN", tmp_path / "run")
    with socket.socket() as probe:
        probe.bind((places.MY_IP, 0))
        monkeypatch.setattr(places, "API_PORT", probe.getsockname()[1])
    return tmp_path


def test_a_machine_that_will_do(fresh: pathlib.Path) -> None:
    conditions.check()


def test_the_port_is_taken(fresh: pathlib.Path) -> None:
    with socket.create_server((places.MY_IP, places.API_PORT)), pytest.raises(StepError) as raised:
        conditions.check()
    assert f"port {places.API_PORT} is not free" in raised.value.reason
    assert "end who listens there" in raised.value.remedy


def test_the_port_may_be_ours(fresh: pathlib.Path) -> None:
    (fresh / "run").mkdir()
    (fresh / "run/controller-api.pid").write_text("1")
    with socket.create_server((places.MY_IP, places.API_PORT)):
        conditions.check()


def test_the_disk_is_full(fresh: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(2**40, 2**40, 2**29))
    with pytest.raises(StepError, match=r"has only 0\.5 GiB free"):
        conditions.check()
