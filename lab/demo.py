"""``make demo``: a server gets a floating IP, is pinged and logged into by it; a volume is written from inside.

As a user would do it, by openstacksdk; each line names the ``openstack`` command of the same effect.
It may run at any time, and leaves nothing of its own.
"""

import contextlib
import pathlib
import subprocess
import tempfile
from typing import Any

from lab.acts import ActError, act, cloud, run, wait_for
from lab.contents import EXTERNAL, IMAGE, NETWORK

NAME = "demo"
FLAVOR = "m1.tiny"
GUEST_USER = "cumulet"
_BOOT_S = 180.0
_SSH = (
    "ssh",
    *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
    *("-o", "BatchMode=yes", "-o", "ConnectTimeout=5"),
)
#: The volume is the second disk of the guest: a file system is made on it, written, read back.
_WRITE = (
    "set -e; disk=/dev/vdb; for i in 1 2 3 4 5 6 7 8 9 10; do [ -b $disk ] && break; sleep 1; done; "
    "sudo mkfs.ext4 -q -F $disk; sudo mkdir -p /mnt/demo; sudo mount $disk /mnt/demo; "
    "echo written from inside | sudo tee /mnt/demo/file >/dev/null; sudo sync; "
    "cat /mnt/demo/file; sudo umount /mnt/demo"
)


def main() -> None:
    """The demo from the first act to the last."""
    connection = cloud()
    _remove_left_overs(connection)
    with contextlib.ExitStack() as undo, tempfile.TemporaryDirectory(prefix="demo-") as name:
        key = pathlib.Path(name, "key")
        _keypair(connection, key, undo)
        _security_group(connection, undo)
        volume = _volume(connection, undo)
        server = _server(connection, undo)
        address = _floating_ip(connection, server, undo)
        _ping(address)
        login = (*_SSH, "-i", str(key), f"{GUEST_USER}@{address}")
        _log_in(login)
        _write(connection, server, volume, login)
    print("         all of it removed again")


def _keypair(connection: Any, key: pathlib.Path, undo: contextlib.ExitStack) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = key.with_suffix(".pub").read_text()
    with act("keypair", f"openstack keypair create --public-key {key}.pub {NAME}"):
        connection.compute.create_keypair(name=NAME, public_key=public)
    undo.callback(lambda: connection.compute.delete_keypair(NAME))


def _security_group(connection: Any, undo: contextlib.ExitStack) -> None:
    with act(
        "security group that lets ping and SSH in",
        f"openstack security group create {NAME}",
        f"openstack security group rule create --protocol icmp {NAME}",
        f"openstack security group rule create --protocol tcp --dst-port 22 {NAME}",
    ):
        group = connection.network.create_security_group(name=NAME)
        for rule in ({"protocol": "icmp"}, {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22}):
            connection.network.create_security_group_rule(
                security_group_id=group.id, direction="ingress", ethertype="IPv4", **rule
            )
    undo.callback(lambda: connection.network.delete_security_group(group))


def _server(connection: Any, undo: contextlib.ExitStack) -> Any:
    names = f"--image {IMAGE} --flavor {FLAVOR} --network {NETWORK} --key-name {NAME} --security-group {NAME}"
    with act("server is ACTIVE", f"openstack server create {names} --wait {NAME}"):
        server = connection.compute.create_server(
            name=NAME,
            image_id=connection.image.find_image(IMAGE, ignore_missing=False).id,
            flavor_id=connection.compute.find_flavor(FLAVOR, ignore_missing=False).id,
            networks=[{"uuid": connection.network.find_network(NETWORK, ignore_missing=False).id}],
            key_name=NAME,
            security_groups=[{"name": NAME}],
        )
        undo.callback(lambda: _remove_server(connection, server))
        return connection.compute.wait_for_server(server, interval=0.3, wait=_BOOT_S)


def _floating_ip(connection: Any, server: Any, undo: contextlib.ExitStack) -> str:
    """Its address, which leads to the server from now on."""
    commands = (
        f"openstack floating ip create {EXTERNAL}",
        f"openstack server add floating ip {NAME} <its address>",
    )
    with act("floating IP", *commands):
        (port,) = connection.network.ports(device_id=server.id)
        external = connection.network.find_network(EXTERNAL, ignore_missing=False)
        made = connection.network.create_ip(
            floating_network_id=external.id, port_id=port.id, description=NAME
        )
    undo.callback(lambda: connection.network.delete_ip(made))
    return str(made.floating_ip_address)


def _ping(address: str) -> None:
    command = ["ping", "-c", "1", "-W", "1", address]
    with act("it answers a ping", " ".join(command)):
        wait_for(f"ping of {address}", lambda: _succeeds(command), _BOOT_S)


def _log_in(login: tuple[str, ...]) -> None:
    with act("logged into by SSH", f"ssh {login[-1]}"):
        wait_for(f"SSH of {login[-1]}", lambda: _succeeds([*login, "true"]), _BOOT_S)
    print(f"         {_output([*login, 'uname -sr; hostname'])}")


def _volume(connection: Any, undo: contextlib.ExitStack) -> Any:
    with act("volume is available", f"openstack volume create --size 1 {NAME}"):
        volume = connection.block_storage.create_volume(name=NAME, size=1)
        undo.callback(lambda: _remove_volume(connection, volume))
        return connection.block_storage.wait_for_status(
            volume, "available", failures=["error"], interval=0.3, wait=60
        )


def _write(connection: Any, server: Any, volume: Any, login: tuple[str, ...]) -> None:
    with act("volume is attached", f"openstack server add volume {NAME} {NAME}"):
        connection.compute.create_volume_attachment(server, volume_id=volume.id)
        connection.block_storage.wait_for_status(volume, "in-use", failures=["error"], interval=0.3, wait=60)
    with act("written and read from inside", "mkfs.ext4 /dev/vdb; mount /dev/vdb /mnt/demo; …"):
        text = _output([*login, _WRITE])
    if text != "written from inside":
        raise ActError(f"the volume gave {text!r} back")
    with act("volume is detached", f"openstack server remove volume {NAME} {NAME}"):
        connection.compute.delete_volume_attachment(server, volume)
        connection.block_storage.wait_for_status(
            volume, "available", failures=["error"], interval=0.3, wait=60
        )


def _remove_left_overs(connection: Any) -> None:
    """What an interrupted demo left."""
    for server in connection.compute.servers(name=f"^{NAME}$"):
        _remove_server(connection, server)
    for address in connection.network.ips(description=NAME):
        connection.network.delete_ip(address)
    for volume in connection.block_storage.volumes(name=NAME):
        _remove_volume(connection, volume)
    for group in connection.network.security_groups(name=NAME):
        connection.network.delete_security_group(group)
    connection.compute.delete_keypair(NAME, ignore_missing=True)


def _remove_server(connection: Any, server: Any) -> None:
    with act("server is gone", f"openstack server delete --wait {NAME}"):
        connection.compute.delete_server(server)
        connection.compute.wait_for_delete(server, interval=0.3, wait=60)


def _remove_volume(connection: Any, volume: Any) -> None:
    with act("volume is gone", f"openstack volume delete {NAME}"):
        connection.block_storage.delete_volume(volume)
        connection.block_storage.wait_for_delete(volume, interval=0.3, wait=60)


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise ActError(
            f"{command[-1]!r} failed inside the server: {done.stderr.strip() or done.stdout.strip()}"
        )
    return " ".join(done.stdout.split())


if __name__ == "__main__":
    run(main)
