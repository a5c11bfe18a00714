"""A process as systemd sees it: what it says, what signals do, with which status it ends."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

#: A process with two options; each line on stdout tells how the first one is.
PROGRAM = """
import contextlib, sys, threading
from oslo_config import cfg
from runtime import service, settings

OPTIONS = [cfg.IntOpt("speed", default=1, min=1, mutable=True), cfg.IntOpt("size", default=1, min=1)]

def start(conf, stack):
    conf.register_opts(OPTIONS, group="thing")
    tell = lambda conf, fresh: print(fresh and conf.thing.speed, conf.thing.size, flush=True)
    conf.register_mutate_hook(tell)
    if sys.stdin.read() == "not yet":
        raise settings.NotYetError("the switch is not there")

service.run("thing", start)
"""
ENOUGH_S = 60


class Child:
    """The program, and the socket on which it speaks to systemd."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.config = folder / "thing.conf"
        self.config.write_text("[thing]\nspeed = 2\n")
        self._heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._heard.bind(str(folder / "notify"))
        self._heard.settimeout(ENOUGH_S)
        self._environment = os.environ | {"NOTIFY_SOCKET": str(folder / "notify")}
        self._log = folder / "log"
        self.process: subprocess.Popen[str] | None = None

    def start(self, stdin: str = "") -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PROGRAM, "--config-file", str(self.config)]
        self.process = subprocess.Popen(
            command,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log.open("w"),
            text=True,
        )
        assert self.process.stdin
        self.process.stdin.write(stdin)
        self.process.stdin.close()
        return self.process

    def hears(self) -> str:
        return self._heard.recv(4096).decode()

    def log(self) -> str:
        return self._log.read_text()

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self._heard.close()


@pytest.fixture
def child(tmp_path: pathlib.Path) -> Iterator[Child]:
    made = Child(tmp_path)
    yield made
    made.end()


def test_says_when_it_is_up_and_when_it_stops(child: Child) -> None:
    process = child.start()
    assert child.hears() == "READY=1"
    process.send_signal(signal.SIGTERM)
    assert child.hears() == "STOPPING=1"
    assert process.wait(ENOUGH_S) == 0


def test_reload_takes_what_may_change_and_tells_what_may_not(child: Child) -> None:
    process = child.start()
    assert child.hears() == "READY=1"
    child.config.write_text("[thing]\nspeed = 3\nsize = 7\n")
    process.send_signal(signal.SIGHUP)
    assert [child.hears(), child.hears()] == ["RELOADING=1", "READY=1"]
    assert process.stdout and process.stdout.readline() == "3 1\n"
    assert "immutable option thing.size" in child.log()


def test_reload_of_a_wrong_file_changes_nothing(child: Child) -> None:
    process = child.start()
    assert child.hears() == "READY=1"
    child.config.write_text("[thing]\nspeed = -3\n")
    process.send_signal(signal.SIGHUP)
    assert [child.hears(), child.hears()] == ["RELOADING=1", "READY=1"]
    assert "options stay as they were" in child.log()
    child.config.write_text("[thing]\nspeed = 2\n[DEFAULT]\ndebug = true\n")
    process.send_signal(signal.SIGHUP)
    assert [child.hears(), child.hears()] == ["RELOADING=1", "READY=1"]
    assert process.stdout and process.stdout.readline() == "2 1\n"


def test_wrong_value_ends_with_78_and_names_option_and_file(child: Child) -> None:
    child.config.write_text("[thing]\nsize = many\n")
    assert child.start().wait(ENOUGH_S) == 78
    for word in ("size", str(child.config), "Correct"):
        assert word in child.log()


def test_what_is_not_there_yet_ends_with_75(child: Child) -> None:
    assert child.start("not yet").wait(ENOUGH_S) == 75
    assert "the switch is not there" in child.log()
