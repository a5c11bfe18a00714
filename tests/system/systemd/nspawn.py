"""A host with systemd as its process 1: this machine's own root, under an overlay, booted by systemd-nspawn.

Nothing is built or fetched, the machine is not changed, and what the host writes goes with it. Its network is its own,
with one link to here.
"""

import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator

from tests.system.systemd.memory_limit import MemoryLimit

#: Addresses of the link's ends.
HERE_IP, HOST_IP = "192.0.2.1", "192.0.2.2"
#: What a machine may have and a fresh host has not.
_NOT_OURS = (
    *("etc/systemd/system", "etc/cumulet", "etc/openvswitch", "etc/libvirt/qemu", "etc/tgt/conf.d"),
    *("var/lib/cumulet", "var/lib/openvswitch", "var/log/journal", "var/log/cumulet", "opt/cumulet"),
    *("var/lib/mysql", "var/lib/rabbitmq/mnesia"),
    *("usr/local/lib/systemd", "usr/local/lib/sysusers.d", "usr/local/lib/tmpfiles.d"),
)
#: There is no udev without devices of its own; the link's other end is raised only when all is up.
_MASKED = (
    *("systemd-udevd.service", "systemd-udev-trigger.service", "systemd-resolved.service"),
    "systemd-networkd-wait-online.service",
)
#: nspawn gives no cgroup controllers and no mount namespaces to guests.
_QEMU = 'security_driver = "none"\ncgroup_controllers = []\nnamespaces = []\n'
_NETWORK = f"[Match]\nName=host0\n[Network]\nAddress={HOST_IP}/24\nLinkLocalAddressing=no\n"
_ALL_OF_IT = ("-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w")
_BOOT_S = 120
#: How nspawn ends, with ``--keep-unit``, when its host wants to be rebooted.
_TO_BE_STARTED_AGAIN = 133


class Host:
    """Its root below ``folder``; ``boot`` it, ``run`` something on it."""

    def __init__(self, folder: pathlib.Path, memory_mib: int) -> None:
        self.name = "cumulet-host"
        self.root = folder / "root"
        self._notify = folder / "notify"
        self._console = folder / "console"
        self._group = _cgroups() / folder.name
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0
        upper, work = folder / "upper", folder / "work"
        for path in (self.root, upper, work, self._group):
            path.mkdir()
        self.memory = MemoryLimit(self._group, memory_mib)
        layers = f"lowerdir=/,upperdir={upper},workdir={work}"
        _call("mount", "-t", "overlay", "overlay", "-o", layers, str(self.root))
        self._freshen()

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file on the host, while it is down or up."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def enable(self, *units: str) -> None:
        """Units that its next boot starts."""
        _call("systemctl", f"--root={self.root}", "--quiet", "enable", *units)

    def boot(self) -> None:
        """Returns when systemd says that all it was to start has been started."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            self._notify.unlink(missing_ok=True)
            told.bind(str(self._notify))
            told.settimeout(_BOOT_S)
            self._nspawn = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "systemd-nspawn", *self._arguments()],
                stdin=subprocess.DEVNULL,
                stdout=self._console.open("a"),
                stderr=subprocess.STDOUT,
                env=os.environ | {"NOTIFY_SOCKET": str(self._notify)},
                preexec_fn=self._enter_groups,
            )
            text = ""
            while "READY=1" not in text:
                text = told.recv(4096).decode()
                if found := re.search(r"X_NSPAWN_LEADER_PID=(\d+)", text):
                    self._leader = int(found[1])
        link = f"ve-{self.name}"[:15]
        _call("ip", "address", "replace", f"{HERE_IP}/24", "dev", link)
        _call("ip", "link", "set", link, "up")

    def reboot(self) -> None:
        """Down and up again, as ``systemctl reboot`` does it."""
        assert self._nspawn is not None
        self.run("systemctl", "reboot")
        assert self._nspawn.wait(_BOOT_S) == _TO_BE_STARTED_AGAIN
        self.boot()

    def stop(self) -> None:
        """Ends it at once, and forgets it."""
        if self._nspawn is not None and self._nspawn.poll() is None:
            handle = os.pidfd_open(self._leader)
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            self._nspawn.wait()
            select.select([handle], [], [])  # process 1 is gone when all others are
            os.close(handle)
        _call("umount", "--lazy", str(self.root))
        for group in sorted(self._group.rglob("*/"), reverse=True):
            group.rmdir()
        self.memory.remove()
        self._group.rmdir()

    def run(self, *command: str, status: int | None = 0, timeout_s: float = 120) -> str:
        """What a command on the host prints; fails unless it ends with ``status``, None for any."""
        done = subprocess.run(
            self.enter(*command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert status in (None, done.returncode), f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def enter(self, *command: str) -> list[str]:
        """The command that runs ``command`` on the host."""
        return ["nsenter", f"--target={self._leader}", *_ALL_OF_IT, "--", *command]

    def property(self, unit: str, name: str) -> str:
        """A property that systemd shows of a unit."""
        return self.run("systemctl", "show", "--value", f"--property={name}", unit)

    def journal(self, unit: str, *more: str) -> str:
        """What a unit wrote to the journal since the host booted."""
        return self.run("journalctl", "--boot", "--no-pager", "--unit", unit, *more)

    def _enter_groups(self) -> None:
        (self._group / "cgroup.procs").write_text(str(os.getpid()))
        self.memory.take(os.getpid())

    def _freshen(self) -> None:
        for name in _NOT_OURS:
            shutil.rmtree(self.root / name, ignore_errors=True)
        for name in ("etc/systemd/system", "etc/libvirt/qemu", "var/log/journal"):
            (self.root / name).mkdir(parents=True)
        self.write("etc/machine-id", f"{os.getpid():032x}\n")  # an empty one would enable every unit
        self.write("etc/hostname", f"{self.name}\n")
        self.write("etc/hosts", f"127.0.0.1 localhost\n{HOST_IP} {self.name}\n")
        self.write("etc/systemd/network/10-host0.network", _NETWORK)
        self.write("etc/libvirt/qemu.conf", _QEMU, 0o600)
        _call("systemctl", f"--root={self.root}", "--quiet", "mask", *_MASKED)
        self.enable("systemd-networkd.service")

    def _arguments(self) -> list[str]:
        return [
            *("--quiet", "--boot", "--register=no", "--keep-unit", "--notify-ready=yes", "--console=pipe"),
            *(f"--directory={self.root}", f"--machine={self.name}", "--network-veth", "--capability=all"),
            *("--bind=/dev/net/tun", "--system-call-filter=@mount @keyring bpf perf_event_open"),
        ]


@contextlib.contextmanager
def host(memory_mib: int) -> Iterator[Host]:
    """A fresh one with so much memory, not booted yet."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="cumulet-nspawn-") as name:
        made = Host(pathlib.Path(name), memory_mib)
        try:
            yield made
        finally:
            made.stop()


def _cgroups() -> pathlib.Path:
    """Where the unified hierarchy is; a machine of its own (tests/alone.sh) has none until it is mounted."""
    place = pathlib.Path("/sys/fs/cgroup")
    if not (place / "cgroup.procs").exists():
        _call("mount", "-t", "cgroup2", "cgroup2", str(place))
    return place


def _call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
