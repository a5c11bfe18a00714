"""Open vSwitch: the machine's own if it answers, else ovsdb-server and ovs-vswitchd under our supervisor."""

import pathlib
import shutil
import socket

from lab.up import command, files, places, supervisor

PROGRAMS = ("ovsdb-server", "ovs-vswitchd")
#: Bridges that ovs_agent makes, and the one that stands for the outside.
BRIDGES = ("br-int", "br-tun", "br-ex")
#: Namespaces that ovs_agent makes begin so.
NAMESPACES = ("qdhcp-", "qrouter-")
_SOCKET = pathlib.Path("/run/openvswitch/db.sock")
_DATABASE = places.STATE / "openvswitch/conf.db"
_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
_NETNS = pathlib.Path("/run/netns")


def is_foreign() -> bool:
    """Whether an ovsdb-server answers that is not ours."""
    return _answers() and PROGRAMS[0] not in supervisor.states()


def configure() -> None:
    """Makes the database and the directory of its socket."""
    files.directory(_SOCKET.parent)
    files.directory(_DATABASE.parent)
    if not _DATABASE.exists():
        command.run("switch", ["ovsdb-tool", "create", str(_DATABASE), _SCHEMA], "see the log")


def sections() -> list[str]:
    """supervisord's sections."""
    return [supervisor.section(program, "1") for program in PROGRAMS]


def wait() -> str:
    """Until both answer; then names this host in the database."""
    command.wait_until(_answers, 20, lambda: supervisor.did_not_start(PROGRAMS[0]))
    command.output(["ovs-vsctl", "--no-wait", "init"])
    host = socket.gethostname()
    names = [f"external_ids:system-id={host}", f"external_ids:hostname={host}"]
    set_names = ["ovs-vsctl", "--timeout=5", "--no-wait", "set", "Open_vSwitch", ".", *names]
    command.wait_until(
        lambda: command.output(set_names) is not None, 20, lambda: supervisor.did_not_start(PROGRAMS[0])
    )
    alive = ["ovs-vsctl", "--timeout=5", "get", "Open_vSwitch", ".", "datapath_types"]
    command.wait_until(
        lambda: "netdev" in (command.output(alive) or ""), 20, lambda: supervisor.did_not_start(PROGRAMS[1])
    )
    return str(_SOCKET)


def bridges() -> list[str]:
    """Bridges that are there and named like ours."""
    there = (command.output(["ovs-vsctl", "--timeout=5", "list-br"]) or "").split() if _answers() else []
    return [name for name in BRIDGES if name in there]


def namespaces() -> list[str]:
    """Network namespaces that are there and named like ours."""
    if not _NETNS.exists():
        return []
    return [path.name for path in _NETNS.iterdir() if path.name.startswith(NAMESPACES)]


def remove_bridges(keep: list[str]) -> int:
    """Removes our bridges, save those that were there before us."""
    ours = [name for name in bridges() if name not in keep]
    for name in ours:
        command.output(["ovs-vsctl", "--timeout=10", "--if-exists", "del-br", name])
    return len(ours)


def remove_namespaces(keep: list[str]) -> int:
    """Ends the processes in our namespaces (dnsmasq and the like), then removes these."""
    ours = [name for name in namespaces() if name not in keep]
    for name in ours:
        for pid in (command.output(["ip", "netns", "pids", name]) or "").split():
            command.output(["kill", "-KILL", pid])
        command.output(["ip", "netns", "delete", name])
    if _NETNS.exists() and not any(_NETNS.iterdir()):
        command.output(["umount", str(_NETNS)])
        _NETNS.rmdir()
    return len(ours)


def clean_up() -> None:
    """Removes what an Open vSwitch of ours left in /run."""
    shutil.rmtree(_SOCKET.parent, ignore_errors=True)


def _answers() -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(_SOCKET)) == 0
