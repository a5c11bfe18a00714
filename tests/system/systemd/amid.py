"""Units that are restarted while an operation is under way, on a host of nspawn.py.

Under way is no guess: a thread that works for the operation is held for some seconds at a named point, says so, and
only then the unit is told to restart. How far the operation has come when the old process ends may differ between
runs: what is held goes on after its seconds, and a process that ends finishes what it does for one resource.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import openstack
from keystoneauth1 import exceptions as client_errors

from tests.system.systemd.nspawn import Host
from tests.system.systemd.nspawn_guest import Guest
from tests.system.watch import eventually

_PLACE = "/var/lib/cumulet-test-faults"
#: For how long a thread is held: the restart has to begin meanwhile, on a busy machine as well.
_HELD_S = 3
_BOOT, _ATTACH, _DELETE = "boot", "attach", "delete"
_GUEST_PART: Mapping[str, str] = {
    _BOOT: "compute.start.before",
    _ATTACH: "compute.attach_disk.before",
    _DELETE: "agent.server.remove.before",
}
#: Unit: where a verb is held while it restarts; in the unit itself, if it has a part in the verb. All of ours at once
#: are restarted amid every verb. Not tgt: it does not end while a guest has a volume of it.
POINTS: Mapping[str, Mapping[str, str]] = {
    "cumulet-allinone.service": _GUEST_PART,
    "cumulet.target": _GUEST_PART,
    "cumulet-nova-compute.service": {_BOOT: "compute.resume.before"},
    "cumulet-ovs-agent.service": {_BOOT: "ovs.install_flows.before"},
    "cumulet-volume-agent.service": {_ATTACH: "volume.export.before"},
    "cumulet-controller-engine.service": {_ATTACH: "operation.server.attach_volume.plug.before"},
    "cumulet-controller-api.service": {_DELETE: "operation.server.delete.release.before"},
    "libvirtd.service": {_BOOT: "compute.start.before"},
    "openvswitch-switch.service": {_BOOT: "ovs.install_flows.before"},
}
#: (unit, verb) in this order: a server is booted before it is deleted.
_CASES = [(unit, verb) for unit, verbs in POINTS.items() for verb in verbs]
EMBEDDED, FULL = _CASES[:3], _CASES[3:]


def prepare(host: Host, *units: str) -> None:
    """Before the host's boot: the units may be held."""
    for unit in units:
        text = f"[Service]\nEnvironment=CUMULET_FAULTS={_PLACE}/plan\n"
        if unit.startswith(
            "cumulet-controller"
        ):  # others must not have a mount namespace, or have this in theirs
            text += f"ReadWritePaths={_PLACE}\n"
        host.write(f"etc/systemd/system/{unit}.service.d/faults.conf", text)
    place = host.root / _PLACE.lstrip("/")
    place.mkdir()
    place.chmod(0o777)


class Operations:
    """Of servers like ``guest``, and of volumes for it; ``connect`` gives a connection to the cloud."""

    def __init__(self, guest: Guest, connect: Callable[[], Any]) -> None:
        self._host, self._guest, self._connect = guest.host, guest, connect
        self._plan = guest.host.root / _PLACE.lstrip("/") / "plan"
        self._fired = self._plan.with_suffix(".fired")
        self._servers: list[str] = []

    def during(self, verb: str, unit: str) -> None:
        """The unit is restarted while the verb is held; at the end all is as the verb wants it, and in order."""
        cloud = self._connect()
        begin: Mapping[str, Callable[[Any], Verb]] = {
            _BOOT: self._boot,
            _ATTACH: self._attach,
            _DELETE: self._delete,
        }
        point = POINTS[unit][verb]
        self._plan.write_text(f"{point} delay:{_HELD_S}\n")
        begun = begin[verb](cloud)
        eventually(self._fired.exists, f"{verb} at {point}", 60)
        asked = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        before = self._host.property(unit, "InvocationID")
        self._host.run("systemctl", "restart", unit)
        assert self._host.property(unit, "InvocationID") != before
        eventually(lambda: _is_so(begun.is_done), f"the end of {verb}", 120)
        assert _ended(cloud, begun.server_id) >= asked
        self._plan.unlink()
        self._fired.unlink()
        eventually(lambda: not self._doctor(), "a doctor who finds nothing", 60)
        begun.undo()

    def _boot(self, cloud: Any) -> "Verb":
        like = cloud.compute.get_server(self._guest.server_id)
        made = cloud.compute.create_server(
            name="amid",
            image_id=like.image.id,
            flavor_id=cloud.compute.find_flavor("tiny").id,
            networks=[{"uuid": self._guest.namespace.removeprefix("qdhcp-")}],
        )
        self._servers.append(made.id)

        def keep_this_alone() -> None:
            while len(self._servers) > 1:
                cloud.compute.delete_server(self._servers.pop(0))

        return Verb(made.id, lambda: cloud.compute.get_server(made.id).status == "ACTIVE", keep_this_alone)

    def _attach(self, cloud: Any) -> "Verb":
        volume = cloud.block_storage.create_volume(size=1)
        cloud.block_storage.wait_for_status(volume, "available", failures=["error"], wait=60)
        server_id = self._guest.server_id
        made = cloud.compute.create_volume_attachment(server_id, volume_id=volume.id)

        def is_there() -> bool:
            is_attached = cloud.block_storage.get_volume(volume.id).status == "in-use"
            return is_attached and self._guest.run(f"test -b {made.device} && echo yes", None) == "yes"

        def detach() -> None:
            cloud.compute.delete_volume_attachment(server_id, volume.id)
            eventually(
                lambda: cloud.block_storage.get_volume(volume.id).status == "available", "a free volume", 60
            )
            cloud.block_storage.delete_volume(volume.id)

        return Verb(server_id, is_there, detach)

    def _delete(self, cloud: Any) -> "Verb":
        """A server that was booted amid a restart."""
        server_id = self._servers.pop()
        ports = [port.id for port in cloud.network.ports(device_id=server_id)]
        cloud.compute.delete_server(server_id)

        def is_gone() -> bool:
            seen = (
                *(server.id for server in cloud.compute.servers()),
                *(port.id for port in cloud.network.ports()),
                *self._host.run("virsh", "list", "--all", "--uuid").split(),
                *self._host.run("ovs-vsctl", "--bare", "--columns=external_ids", "find", "interface").split(),
                *self._host.run("ls", "/var/lib/cumulet/servers").split(),
            )
            return not {server_id, *ports, *(f"iface-id={port}" for port in ports)} & set(seen)

        return Verb(server_id, is_gone)

    def _doctor(self) -> str:
        """What it finds; "" when all is in order."""
        command = "controller-manage doctor --dry-run || echo not in order"
        text = self._host.run("sh", "-c", command)
        return text if text.endswith("not in order") else ""


@dataclass(frozen=True)
class Verb:
    """What was asked for a server; ``undo`` takes away what the next one does not need."""

    server_id: str
    is_done: Callable[[], bool]
    undo: Callable[[], None] = lambda: None


def _is_so(look: Callable[[], bool]) -> bool:
    """False as well while the API is away."""
    with contextlib.suppress(openstack.exceptions.HttpException, client_errors.ConnectFailure):
        return look()
    return False


def _ended(cloud: Any, server_id: str) -> str:
    """When the newest operation of a server came to its end."""
    url = f"/servers/{server_id}/os-instance-actions"
    newest = cloud.compute.get(url, microversion="2.58").json()["instanceActions"][0]
    return str(newest["updated_at"])
