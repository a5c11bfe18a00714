"""A configuration that cannot work is named with file, option and remedy, and ends the process with status 78."""

import pathlib
import subprocess
import sys

import pytest

from runtime import service

_PROGRAM = """
import os, signal, sys, threading
from oslo_config import cfg
from runtime import service, settings
settings.CONFIG_DIR = sys.argv.pop(1)
def start(conf, stack):
    conf.register_opts([cfg.StrOpt("virt_type", choices=["kvm", "qemu"])])
    conf.register_opts([cfg.IntOpt("most", default=1, max=9)], group="cache")
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
service.run("nova-compute", start)
"""


def run(directory: pathlib.Path, text: str) -> subprocess.CompletedProcess[str]:
    (directory / "nova-compute.conf").write_text(text)
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(directory)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("[DEFAULT]\nvirt_type = xen\n", "virt_type"),
        ("[DEFAULT]\nmetrics_port = many\n", "metrics_port"),
        ("[cache]\nmost = 10\n", "most"),
        ("no section\n", "no section"),
    ],
)
def test_it_is_named_with_file_option_and_remedy(tmp_path: pathlib.Path, text: str, option: str) -> None:
    done = run(tmp_path, text)
    assert done.returncode == service.EXIT_CONFIGURATION
    for part in ("error: nova-compute: ", str(tmp_path / "nova-compute.conf"), option, "start again"):
        assert part in done.stderr
    for part in ("Traceback", "LocationInfo"):
        assert part not in done.stderr


def test_one_that_works(tmp_path: pathlib.Path) -> None:
    done = run(tmp_path, "[DEFAULT]\nvirt_type = kvm\n")
    assert done.returncode == 0, done.stderr
    assert "nova-compute is up" in done.stderr
