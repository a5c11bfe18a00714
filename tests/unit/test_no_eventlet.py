"""No process of ours has eventlet loaded: it costs 17 MiB each, and patches what threads rely on."""

import configparser
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]

#: A module of that name which would be imported if anything tried, and says so.
_TRAP = "raise AssertionError('eventlet was imported')\n"
_PROBE = """
import importlib, sys
importlib.import_module(sys.argv[1])
loaded = sorted(name for name in sys.modules if name.partition(".")[0] == "eventlet" and sys.modules[name])
print(",".join(loaded))
"""


def _entry_modules() -> list[str]:
    """The modules of the console scripts that are processes, as setup.cfg names them."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    scripts = parser["options.entry_points"]["console_scripts"].strip().splitlines()
    return sorted({script.partition("=")[2].partition(":")[0].strip() for script in scripts})


@pytest.mark.parametrize("module", _entry_modules())
def test_process_has_no_eventlet(module: str, tmp_path: pathlib.Path) -> None:
    """Even where eventlet is installed, which the trap pretends."""
    package = tmp_path / "eventlet"
    package.mkdir()
    (package / "__init__.py").write_text(_TRAP)
    probe = subprocess.run(
        [sys.executable, "-c", _PROBE, module],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert probe.returncode == 0, probe.stderr[-2000:]
    assert probe.stdout.strip() == ""
