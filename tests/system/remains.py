"""What ``make down`` leaves: this machine is looked at before ``make up`` and after ``make down``.

Run by ``test_remains.py`` on a machine that nobody else uses. The cloud is taken down while a
guest with a volume runs; with ``make up`` that guest is back; then supervisord is killed, and after PURGE the cloud's
own directories are gone too.
"""

import contextlib
import hashlib
import os
import pathlib
import select
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator

from lab import acts
from lab.up import places

OURS = (places.CONFIG, places.STATE, places.LOG)
#: Where programs leave things; what else is in them is the same before and after.
WATCHED = tuple(map(pathlib.Path, ("/etc", "/run", "/tmp", "/var", "/dev", "/root/.cache")))
#: Not the cloud's: Debian's packages, and the clock that all UUIDs of the machine are drawn from.
MACHINES_OWN = tuple(
    map(pathlib.Path, ("/var/lib/apt", "/var/lib/dpkg", "/var/cache/apt", "/var/log/apt", "/var/lib/libuuid"))
)
#: libvirtd gives each of Debian's filters a UUID when it first sees it.
CONTENT_MAY_CHANGE = pathlib.Path("/etc/libvirt/nwfilter")
#: Emptied, so that no other program of the real machine is seen in them.
_SHARED = tuple(map(pathlib.Path, ("/tmp", "/var/tmp", "/root/.cache")))
NAME = "remains"


def main(profile: str) -> None:
    """The whole story; ends with status 1 and what is left."""
    _take_apart_from_the_machine()
    _lab("down")  # libvirt's settings are copies of those of a machine whose own cloud may run
    before = _picture()
    _lab("up", "--no-demo", "--profile", profile)
    _boot()
    _lab("down")
    _compare("down", before)
    _lab("up", "--no-demo", "--profile", profile)
    acts.wait_for("the guest that was there before", _is_back, 60)
    _kill_supervisord()
    _lab("down", "--purge")
    _compare("down --purge", before | {"cloud's files": set()})


def _boot() -> None:
    connection = acts.cloud()
    volume = connection.block_storage.create_volume(size=1, name=NAME)
    acts.wait_for("volume", lambda: connection.block_storage.get_volume(volume.id).status == "available", 60)
    image, flavor = connection.image.find_image("cumulet-guest"), connection.compute.find_flavor("m1.tiny")
    network = connection.network.find_network("demo")
    server = connection.compute.create_server(
        name=NAME, image_id=image.id, flavor_id=flavor.id, networks=[{"uuid": network.id}]
    )
    server = connection.compute.wait_for_server(server, wait=120)
    connection.compute.create_volume_attachment(server, volume_id=volume.id)
    acts.wait_for("attachment", lambda: connection.block_storage.get_volume(volume.id).status == "in-use", 60)
    there = _picture()
    for what in ("processes", "links", "namespaces", "mounts"):
        assert any(_is_of_a_guest(name) for name in there[what]), f"no trace of the guest in {what}: blind"


def _is_of_a_guest(name: str) -> bool:
    return any(mark in name for mark in ("qemu-system", "tap", "qdhcp-"))


def _is_back() -> bool:
    (server,) = acts.cloud().compute.servers(name=NAME)
    running = subprocess.run(
        ["virsh", "list", "--state-running", "--uuid"], capture_output=True, text=True, check=True
    )
    return server.status == "ACTIVE" and server.id in running.stdout


def _kill_supervisord() -> None:
    """What it started goes on without it, agents that would heal the host included."""
    pid = int((places.RUN / "supervisord.pid").read_text())
    handle = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    select.select([handle], [], [])
    os.close(handle)


def _lab(*arguments: str) -> None:
    users = {key: value for key, value in os.environ.items() if key != "XDG_CACHE_HOME"}
    subprocess.run([places.CHECKOUT / "lab/up/bootstrap.sh", *arguments], env=users, check=True)


def _compare(command: str, before: dict[str, set[str]]) -> None:
    after = _picture()
    if "purge" not in command:
        del after["cloud's files"]
    changed = {
        what: {"left": sorted(after[what] - before[what]), "lost": sorted(before[what] - after[what])}
        for what in after
        if after[what] != before[what]
    }
    if changed:
        sys.exit(f"after {command}: {changed}")


def _picture() -> dict[str, set[str]]:
    return {what: look() for what, look in LOOKS.items()}


def _processes() -> set[str]:
    """Command lines; the one that looks, and those above it, are there at any time."""
    found = set()
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found.add((path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


def _lines(*command: str) -> Callable[[], set[str]]:
    """What a program prints, line by line."""
    return lambda: set(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    )


def _settings() -> set[str]:
    """Those of the network that somebody sets; what the kernel counts is left out."""
    told = subprocess.run(["sysctl", "-a", "--pattern", "^net"], capture_output=True, text=True, check=False)
    return {line for line in told.stdout.splitlines() if "_count" not in line and "random" not in line}


def _mounts() -> set[str]:
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return {line.split()[4] for line in lines}


def _files() -> set[str]:
    """Every file with its owner and mode, and the content of those in /etc."""
    return {_described(path) for top in WATCHED for path in _below(top)}


def _cloud_files() -> set[str]:
    return {str(path) for top in OURS for path in _below(top)}


def _below(top: pathlib.Path) -> Iterator[pathlib.Path]:
    for folder, names, files in os.walk(top):
        here = pathlib.Path(folder)
        if top not in OURS:
            names[:] = [name for name in names if not _is_elsewhere(here / name)]
        for name in files:
            yield here / name


def _is_elsewhere(path: pathlib.Path) -> bool:
    return path in (*OURS, *MACHINES_OWN, places.CHECKOUT) or str(path).startswith("/dev/pts")


def _described(path: pathlib.Path) -> str:
    found = path.lstat()
    content = ""
    if (
        path.is_relative_to("/etc")
        and not path.is_relative_to(CONTENT_MAY_CHANGE)
        and stat.S_ISREG(found.st_mode)
    ):
        content = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"{path} {stat.filemode(found.st_mode)} {found.st_uid}:{found.st_gid} {content}"


LOOKS: dict[str, Callable[[], set[str]]] = {
    "processes": _processes,
    "links": _lines("ip", "-o", "-br", "link"),
    "namespaces": _lines("ip", "netns", "list"),
    "routes": _lines("ip", "route", "show", "table", "all"),
    "packet filter": _lines("nft", "list", "ruleset"),
    "loop devices": _lines("losetup", "--list", "--noheadings"),
    "settings": _settings,
    "mounts": _mounts,
    "files": _files,
    "cloud's files": _cloud_files,
}


def _take_apart_from_the_machine() -> None:
    """Hides the directories that any program of the real machine writes to; the checkout may lie in one."""
    aside = pathlib.Path("/run/checkout")
    aside.mkdir()
    _mount("--bind", str(places.CHECKOUT), str(aside))
    for path in _SHARED:
        path.mkdir(parents=True, exist_ok=True)
        _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(path))
    if any(places.CHECKOUT.is_relative_to(path) for path in _SHARED):
        places.CHECKOUT.mkdir(parents=True)
        _mount("--bind", str(aside), str(places.CHECKOUT))
        os.chdir(places.CHECKOUT)
    subprocess.run(["umount", str(aside)], check=True)
    aside.rmdir()


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
