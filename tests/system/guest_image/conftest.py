"""The guest image, built once a session, and a machine that boots it."""

import json
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab.guest_image import build
from lab.up import places

CACHE = places.CACHE / "guest_image"

#: Answers one HTTP request on standard input and output.
_SERVE = """
import pathlib, sys
path = sys.stdin.buffer.readline().split()[1].decode()
file = pathlib.Path("{directory}" + path)
body = file.read_bytes() if file.is_file() else b""
status = "200 OK" if body else "404 Not Found"
sys.stdout.buffer.write(f"HTTP/1.0 {{status}}\\r\\nContent-Length: {{len(body)}}\\r\\n\\r\\n".encode() + body)
"""


class Guest:
    """A machine under plain QEMU, with user networking and a config drive."""

    def __init__(self, work: pathlib.Path, image: pathlib.Path) -> None:
        self.work = work
        self.key = work / "key"
        self.process: subprocess.Popen[bytes] | None = None
        self._disk = work / "disk.qcow2"
        self._port = 0
        self._network = "restrict=off"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        form = ["-f", "qcow2", "-F", "qcow2"]
        subprocess.run(["qemu-img", "create", "-q", *form, "-b", image, self._disk, "1G"], check=True)

    def write_config_drive(self, instance_id: str, user_data: str) -> None:
        """What the guest will learn of itself at its next boot."""
        latest = self.work / "drive/openstack/latest"
        latest.mkdir(parents=True, exist_ok=True)
        keys = {"mine": (self.work / "key.pub").read_text()}
        data = {"uuid": instance_id, "hostname": "first-guest.novalocal", "public_keys": keys}
        (latest / "meta_data.json").write_text(json.dumps(data))
        (latest / "user_data").write_text(user_data)
        command = [
            "genisoimage",
            "-quiet",
            "-V",
            "config-2",
            "-J",
            "-R",
            "-o",
            self.work / "drive.iso",
            self.work / "drive",
        ]
        subprocess.run(command, check=True)

    def serve_metadata(self, instance_id: str, user_data: str) -> None:
        """The same from 169.254.169.254, by a program that QEMU starts for each connection."""
        self.write_config_drive(instance_id, user_data)
        (self.work / "drive.iso").write_bytes(bytes(1 << 20))
        program = self.work / "serve.py"
        program.write_text(_SERVE.format(directory=self.work / "drive"))
        forward = f"guestfwd=tcp:169.254.169.254:80-cmd:{sys.executable} {program}"
        self._network = f"net=169.254.169.0/24,{forward}"

    def start(self) -> None:
        """Powers on and waits until the guest says that it is ready."""
        self._port = _free_port()
        (self.work / "console").unlink(missing_ok=True)
        drive = "if=virtio,format=raw,readonly=on"
        network = f"user,id=first,{self._network},hostfwd=tcp:127.0.0.1:{self._port}-:22"
        self.process = subprocess.Popen(
            [
                *("qemu-system-x86_64", "-accel", "tcg", "-m", "256", "-display", "none"),
                *("-serial", f"file:{self.work / 'console'}"),
                *("-drive", f"file={self._disk},if=virtio,format=qcow2"),
                *("-drive", f"file={self.work / 'drive.iso'},{drive}"),
                *("-netdev", network, "-device", "virtio-net-pci,netdev=first"),
                *("-qmp", f"unix:{self.work / 'qmp'},server=on,wait=off"),
            ]
        )
        self.wait(lambda: "cumulet-guest: ready" in self.console(), 90)

    def console(self) -> str:
        """All that the guest wrote to its serial port."""
        path = self.work / "console"
        return path.read_text(errors="replace") if path.exists() else ""

    def ssh(self, command: str, user: str = "cumulet") -> str:
        """What a command in the guest printed; it must succeed."""
        options = [
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
        ]
        login = ["-i", str(self.key), "-p", str(self._port), f"{user}@127.0.0.1"]
        done = subprocess.run(
            ["ssh", *options, *login, command], capture_output=True, text=True, check=False, timeout=90
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def qmp(self, *commands: dict[str, Any]) -> None:
        """Tells QEMU; every command must succeed."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.work / "qmp"))
            lines = connection.makefile("rw")
            lines.readline()
            for command in ({"execute": "qmp_capabilities"}, *commands):
                lines.write(json.dumps(command))
                lines.flush()
                while "event" in (answer := json.loads(lines.readline())):
                    pass
                assert "return" in answer, answer

    def wait(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Until ``condition`` holds."""
        end = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end, f"timed out; the console says: {self.console()[-2000:]}"
            time.sleep(0.1)

    def is_off(self) -> bool:
        """Whether QEMU ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def kill(self) -> None:
        """Pulls the plug."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A fresh build."""
    path = tmp_path_factory.mktemp("guest-image") / "guest.qcow2"
    build.build(path, CACHE)
    return path


@pytest.fixture(scope="module")
def guest(image: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """A booted guest."""
    guest = Guest(tmp_path_factory.mktemp("guest"), image)
    script = '#!/bin/sh\necho "user data on $(hostname)"\necho once >>/var/user-data-ran\n'
    guest.write_config_drive("11111111-2222-4333-8444-555555555555", script)
    guest.start()
    yield guest
    guest.kill()


@pytest.fixture
def new_guest(image: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[Guest]:
    """A guest that was never booted."""
    guest = Guest(tmp_path, image)
    yield guest
    guest.kill()
