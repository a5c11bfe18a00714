"""The agent against a real libvirtd, Open vSwitch and tgtd: inside.py, run in a host made of namespaces."""

import os
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from lab.guest_image import build, packages, tree
from lab.up import places

HERE = pathlib.Path(__file__).parent
CACHE = places.CACHE / "guest_image"


@pytest.fixture
def guest(tmp_path: pathlib.Path) -> pathlib.Path:
    """A directory with the guest image, and its kernel and initramfs as files of their own."""
    directory, early = tmp_path / "guest", tmp_path / "early"
    build.build(directory / "guest.qcow2", CACHE)
    stage = packages.unpacked(CACHE)
    shutil.copy(tree.kernel(stage), directory / "vmlinuz")
    early.mkdir()
    (directory / "initrd.gz").write_bytes(tree.build_initramfs(stage, early))
    return directory


@pytest.fixture
def namespace(tmp_path: pathlib.Path) -> Iterator[int]:
    """The process id of a namespace host's init."""
    log = (tmp_path / "host.log").open("w")
    outer = subprocess.Popen(
        [HERE / "namespace_host.sh", tmp_path], stdout=log, stderr=log, stdin=subprocess.DEVNULL
    )
    while not (tmp_path / "ready").exists():
        assert outer.poll() is None, (tmp_path / "host.log").read_text()
        time.sleep(0.05)
    children = pathlib.Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
    yield int(children[0])
    os.kill(int(children[0]), 9)
    outer.wait()


def test_life_of_servers(namespace: int, guest: pathlib.Path, tmp_path: pathlib.Path) -> None:
    enter = ["nsenter", "-t", str(namespace), "-m", "-n", "-u", "-p", "-i", "--"]
    inside = [sys.executable, "-m", "pytest", "-x", "-q", "-s", "--no-header", str(HERE / "inside.py")]
    inside += ["-k", os.environ.get("CUMULET_SCENARIOS", "test_")]
    done = subprocess.run(
        [*enter, *inside],
        cwd=HERE.parents[2],
        env=os.environ
        | {
            "CUMULET_STATE": str(tmp_path / "state"),
            "CUMULET_GUEST_DIR": str(guest),
            "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]),
        },
        capture_output=True,
        text=True,
        timeout=570,
    )
    print(done.stdout[-8000:], done.stderr[-2000:])
    assert done.returncode == 0
