"""supervisord: its configuration, and what it is asked over its socket.

A program's section carries a digest of the program's files; when it changes, the program is started anew.
"""

import hashlib
import http.client
import os
import pathlib
import signal
import socket
import time
import xmlrpc.client
from collections.abc import Iterable, Sequence
from typing import Any

from lab.up import command, files, places
from lab.up.step import StepError

#: How our programs end when their configuration cannot work (EX_CONFIG).
_EXIT_CONFIGURATION = 78
#: Programs that end by SIGKILL only, as their sections say.
_DEAF = ("tgtd",)
_RUNNING = ("RUNNING", "STARTING", "BACKOFF")


class _UnixConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(places.SUPERVISOR_SOCKET))


class _UnixTransport(xmlrpc.client.Transport):
    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _UnixConnection("localhost")


def _ask() -> Any:
    """The methods of supervisord; what they answer is untyped."""
    return xmlrpc.client.ServerProxy("http://localhost", transport=_UnixTransport()).supervisor


def is_up() -> bool:
    """Whether supervisord answers."""
    try:
        return bool(_ask().getState()["statecode"] == 1)
    except (OSError, xmlrpc.client.Error, http.client.HTTPException):
        return False


def states() -> dict[str, str]:
    """State of each program, such as RUNNING, STOPPED or FATAL; empty when supervisord is not up."""
    if not is_up():
        return {}
    return {str(info["name"]): str(info["statename"]) for info in _ask().getAllProcessInfo()}


def misconfigured(names: Iterable[str]) -> list[str]:
    """Those that ended because their configuration cannot work."""
    ended = {
        info["name"]
        for info in _ask().getAllProcessInfo()
        if info["exitstatus"] == _EXIT_CONFIGURATION and info["statename"] != "RUNNING"
    }
    return [name for name in names if name in ended]


def digest(paths: Iterable[pathlib.Path]) -> str:
    """Stands for the content of these files."""
    result = hashlib.sha256()
    for path in sorted(paths):
        result.update(f"{path}\0".encode() + path.read_bytes())
    return result.hexdigest()[:16]


def write_config(sections: Sequence[str]) -> None:
    """Writes supervisord.conf from its head and the filled-in sections of programs."""
    head = files.filled("supervisord.conf", values())
    files.write(places.SUPERVISOR_CONFIG, "\n".join([head, *sections]), 0o600)


def section(program: str, program_digest: str, **more: str) -> str:
    """One program's section, from its template."""
    return files.filled(f"programs/{program}.conf", values() | {"digest": program_digest} | more)


def values() -> dict[str, str]:
    """What every template may use."""
    return {
        "config": str(places.CONFIG),
        "state": str(places.STATE),
        "log": str(places.LOG),
        "run": str(places.RUN),
        "venv": str(places.VENV),
        "with_pid": str(places.CHECKOUT / "etc/supervisor/with-pid"),
        "my_ip": places.MY_IP,
    }


def start() -> None:
    """Starts supervisord, or has the one that runs take over what changed in its configuration."""
    if is_up():
        _update()
        return
    end_orphans()
    # tini takes in what daemons leave behind, and reaps it at once: libvirt waits for a QEMU that is dead but
    # not reaped, and not every first process of a machine without systemd is quick about it
    command.start(
        "supervisord",
        ["tini", "-s", "--", places.tool("supervisord"), "-n", "-c", str(places.SUPERVISOR_CONFIG)],
    )
    command.wait_until(is_up, 10, lambda: _not_up("supervisord does not answer on its socket"))


def start_programs(names: Iterable[str]) -> list[str]:
    """Starts those that do not run yet, and says which these were."""
    current = states()
    started = [name for name in names if current.get(name) not in _RUNNING]
    for name in started:
        _ask().startProcess(name, False)
    return started


def stop_programs(names: Iterable[str]) -> None:
    """Stops those that run, all at once, and waits for them."""
    current = states()
    running = [name for name in names if current.get(name) in _RUNNING]
    for name in running:
        _ask().stopProcess(name, False)
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and any(
        states().get(name) in (*_RUNNING, "STOPPING") for name in running
    ):
        time.sleep(0.05)


def shut_down() -> None:
    """Ends supervisord with all that it started, and what a killed one left."""
    if is_up():
        _ask().shutdown()
        command.wait_until(lambda: not is_up(), 60, lambda: _not_up("supervisord does not stop"))
    end_orphans()


def end_orphans(names: Iterable[str] = ("*",)) -> None:
    """Ends programs of ours, those named or all, whose supervisord is gone."""
    paths = [path for name in names for path in places.RUN.glob(f"{name}.pid")]
    left = [pid for path in paths if (pid := _alive(path))]
    deaf = [pid for path in paths if path.stem in _DEAF and (pid := _alive(path))]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in left:
            _kill(pid, signal.SIGKILL if pid in deaf else number)
        deadline = time.monotonic() + 15
        while left and time.monotonic() < deadline:
            time.sleep(0.05)
            left = [pid for pid in left if pathlib.Path(f"/proc/{pid}").exists()]


def _alive(path: pathlib.Path) -> int:
    """The process of a pid file if it is still the program of ours that wrote it, else 0."""
    text = path.read_text().strip()
    if not text.isdigit():
        return 0
    try:
        environment = pathlib.Path(f"/proc/{text}/environ").read_bytes().split(b"\0")
        arguments = pathlib.Path(f"/proc/{text}/cmdline").read_bytes()
    except OSError:
        return 0
    is_program = f"SUPERVISOR_PROCESS_NAME={path.stem}".encode() in environment
    is_supervisord = path.stem == "supervisord" and str(places.SUPERVISOR_CONFIG).encode() in arguments
    return int(text) if is_program or is_supervisord else 0


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _update() -> None:
    """What ``supervisorctl update`` does."""
    added, changed, removed = _ask().reloadConfig()[0]
    stop_programs([*changed, *removed])
    for name in (*changed, *removed):
        _ask().removeProcessGroup(name)
    for name in (*added, *changed):
        _ask().addProcessGroup(name)


def _not_up(reason: str) -> StepError:
    remedy = "end it by the process id in /run/cumulet/supervisord.pid, then 'make up'"
    return StepError(reason, remedy, places.LOG / "supervisord.log")


def did_not_start(program: str) -> StepError:
    """The error of a program that was started and is not ready in time."""
    state = states().get(program, "not known to supervisord")
    return StepError(
        f"{program} is not ready (its state is {state})",
        f"read {places.log_file(program)}, correct what it says, then run 'make up' again",
        places.log_file(program),
    )
