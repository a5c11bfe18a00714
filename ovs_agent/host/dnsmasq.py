"""dnsmasq: one process a network, in the network's namespace, which outlives the agent."""

import contextlib
import logging
import os
import pathlib
import shutil
import signal
import subprocess
import time

from ovs_agent.host import netns

LOG = logging.getLogger(__name__)

_TIMEOUT_S = 20
_UNPRIVILEGED = "nobody"


class DnsmasqError(Exception):
    """dnsmasq did not start; the message is its own."""


def pid(directory: pathlib.Path) -> int | None:
    """The process that serves from this directory, None if there is none.

    Its command line is compared, as a pid may by now be someone else's.
    """
    try:
        number = int((directory / "pid").read_text())
        arguments = pathlib.Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    is_ours = os.fsencode(f"--conf-file={directory}/config") in arguments
    return number if is_ours and pathlib.Path(f"/proc/{number}/fd").exists() else None


def start(namespace: str, directory: pathlib.Path) -> int:
    """Starts it and returns its pid once it listens: dnsmasq goes to the background by itself then."""
    (directory / "pid").unlink(missing_ok=True)
    user = _user(directory)
    command = ["dnsmasq", f"--conf-file={directory}/config", f"--user={user}"]

    def work() -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_TIMEOUT_S,
            start_new_session=True,
            check=False,
        )

    try:
        done = netns.inside(namespace, work)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DnsmasqError(f"dnsmasq: {error}") from error
    if done.returncode != 0:
        raise DnsmasqError(f"dnsmasq: {done.stderr.decode(errors='replace').strip()[:500]}")
    return _await_pid(directory)


def reload(directory: pathlib.Path) -> None:
    """Has it read hosts, options and names again."""
    if (number := pid(directory)) is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGHUP)


def stop(directory: pathlib.Path) -> None:
    """Ends it and waits until it is gone; safe to repeat."""
    number = pid(directory)
    if number is None:
        return
    try:
        handle = os.pidfd_open(number)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    finally:
        os.close(handle)
    end = time.monotonic() + 5
    while pid(directory) is not None and time.monotonic() < end:
        time.sleep(0.005)


def remove_files(directory: pathlib.Path) -> None:
    """Removes its directory; safe to repeat."""
    shutil.rmtree(directory, ignore_errors=True)


def _await_pid(directory: pathlib.Path) -> int:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if (number := pid(directory)) is not None:
            return number
        time.sleep(0.005)
    raise DnsmasqError(f"dnsmasq started but wrote no pid file in {directory}")


def _user(directory: pathlib.Path) -> str:
    """Nobody, where nobody can read the files again at SIGHUP; else root, which is said in the log."""
    for path in (directory, *directory.parents):
        if not path.stat().st_mode & 0o001:
            LOG.warning("dnsmasq runs as root: %s is not searchable by others", path)
            return "root"
    return _UNPRIVILEGED
