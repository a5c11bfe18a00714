"""Everything of the cloud that is on this host, to be compared: whatever the controller says, it must stay."""

import pathlib

from lab.up import places
from tests.faults.cloud import output_of

Seen = dict[str, set[str]]


def seen() -> Seen:
    """Guests with their processes, disks, volumes, targets, taps and flows."""
    return {
        "guests": {f"{uuid} {process_of(uuid)}" for uuid in output_of("virsh", "list", "--uuid").split()},
        "files": {str(p) for name in ("servers", "volumes") for p in (places.STATE / name).rglob("*")},
        "targets": _targets(),
        "taps": set(output_of("ovs-vsctl", "list-ports", "br-int").split()),
        "flows": {line.strip() for bridge in ("br-int", "br-tun") for line in _flows(bridge)},
    }


def process_of(server_id: str) -> int:
    """The QEMU of a server; 0 when none runs."""
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"\0-uuid\0{server_id}\0".encode() in path.read_bytes():
                return int(path.parent.name)
        except OSError:  # it ended meanwhile
            continue
    return 0


def _targets() -> set[str]:
    shown = output_of("tgtadm", "--lld", "iscsi", "--mode", "target", "--op", "show")
    return {line for line in shown.splitlines() if line.startswith("Target ")}


def _flows(bridge: str) -> list[str]:
    return output_of("ovs-ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows", bridge).splitlines()[1:]
