"""systemd hears that a process lives only while each of its loops turns."""

import pathlib
import socket
import threading
from collections.abc import Iterator

import pytest

from contract.document import Key
from runtime import watchdog
from runtime.reconcile.ledger import Ledger
from runtime.reconcile.loop import Loop


class Systemd:
    """The socket that systemd reads."""

    def __init__(self, path: pathlib.Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))

    def heard(self) -> list[str]:
        """What was said since it was last asked."""
        found = []
        while True:
            try:
                found.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    listening = Systemd(tmp_path / "notify")
    yield listening
    listening.close()


def test_one_loop_that_is_silent_keeps_the_word_back(systemd: Systemd) -> None:
    turning, stuck = watchdog.Turns("turning"), watchdog.Turns("stuck")
    watch = watchdog.Watchdog(1.0, lambda: [turning, stuck])
    watch.look()
    assert systemd.heard() == ["WATCHDOG=1"], "loops that just began are fresh"
    turning.turned()
    watch.look()
    assert systemd.heard() == []
    stuck.turned()
    watch.look()
    assert systemd.heard() == ["WATCHDOG=1"], "one that was only slow is heard again"


def test_a_loop_without_work_is_woken(systemd: Systemd) -> None:
    turns = watchdog.Turns("idle", lambda: turns.turned())
    watch = watchdog.Watchdog(1.0, lambda: [turns])
    for _ in range(3):
        watch.look()
    assert systemd.heard() == ["WATCHDOG=1"] * 3


def test_an_idle_reconcile_loop_turns_when_woken(tmp_path: pathlib.Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    loop = Loop(ledger, {}, lambda key: None, lambda report: None, workers=1)
    loop.start()
    loop.poke([Key("server", "none")])
    assert loop.wait_idle(10)
    turns = loop._turns
    turned = threading.Event()
    turns.turned = turned.set  # type: ignore[method-assign]
    turns.wake()
    assert turned.wait(10)
    loop.stop()
    ledger.close()


@pytest.mark.parametrize(
    "environment, is_wanted",
    [
        ({}, False),
        ({"WATCHDOG_USEC": "120000000"}, True),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "1"}, False),
    ],
)
def test_wanted_only_by_systemd_and_of_this_process(
    environment: dict[str, str], is_wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (watchdog.wanted() is not None) == is_wanted
