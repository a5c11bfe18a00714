"""``make install``: Cumulet for systemd, into this machine or below a directory (``DESTDIR=``).

Programs go to /opt/cumulet, units, users and directories to /usr/local/lib, samples of the options to /etc/cumulet.
Safe to repeat: programs and units are replaced, a configuration that is there stays as it is.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Sequence

from lab.up import command, places

ETC = places.CHECKOUT / "etc"
PROGRAMS = pathlib.Path("opt/cumulet")
CONFIG = pathlib.Path("etc/cumulet")
#: Folder of ``etc``: where what is in it goes.
FOR_SYSTEMD = {
    "systemd": pathlib.Path("usr/local/lib/systemd/system"),
    "sysusers.d": pathlib.Path("usr/local/lib/sysusers.d"),
    "tmpfiles.d": pathlib.Path("usr/local/lib/tmpfiles.d"),
}
#: What operators call by hand.
COMMANDS = ("controller-manage",)
_COMMANDS_PLACE = pathlib.Path("usr/local/bin")


def main() -> None:
    """Installs, and says what is left to do."""
    parser = argparse.ArgumentParser(prog="lab.install", description=__doc__)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path("/"), help="install below this")
    root = parser.parse_args().root.resolve()
    try:
        _programs(root / PROGRAMS)
        _files(root)
        _tell_systemd(root)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}. Nothing that runs was touched: mend it and install again.")
    print(f"installed below {root}: see 'Under systemd' in docs/operations.md for what comes next")


def _programs(place: pathlib.Path) -> None:
    """A virtual environment with our packages, compiled: units may not write there.

    It is relocatable, as below another root its path is not the one that it will have.
    """
    python = place / "bin/python"
    if not python.exists():
        _uv("venv", "--relocatable", "--python", "/usr/bin/python3", str(place))
    # setuptools would pack modules that were there at the last time and are not any more
    shutil.rmtree(places.CHECKOUT / "build", ignore_errors=True)
    pinned = ("--override", "overrides.txt", "--constraint", "constraints.txt")
    ours = (".", "--reinstall-package", "cumulet")
    _uv("pip", "install", "--compile-bytecode", "--python", str(python), *pinned, *ours)


def _files(root: pathlib.Path) -> None:
    for folder, place in FOR_SYSTEMD.items():
        for source in sorted((ETC / folder).iterdir()):
            _copy(source, root / place / source.name)
    for source in sorted((ETC / "cumulet").iterdir()):
        target = root / CONFIG / source.name
        if not target.exists():
            _copy(source, target)
    for name in COMMANDS:
        link = root / _COMMANDS_PLACE / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(pathlib.Path("/") / PROGRAMS / "bin" / name)


def _tell_systemd(root: pathlib.Path) -> None:
    """On a machine that runs under systemd: user, directories and units are there at once, not at the next boot."""
    if root == pathlib.Path("/") and pathlib.Path("/run/systemd/system").exists():
        _run("systemd-sysusers", "cumulet.conf")
        _run("systemd-tmpfiles", "--create", "cumulet.conf")
        _run("systemctl", "daemon-reload")


def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)


def _uv(*arguments: str) -> None:
    _run(places.tool("uv"), *arguments[:1], "--quiet", *arguments[1:])


def _run(*arguments: str) -> None:
    given: Sequence[str] = arguments
    subprocess.run(given, check=True, cwd=places.CHECKOUT, env=command.environment())


if __name__ == "__main__":
    os.umask(0o022)
    main()
