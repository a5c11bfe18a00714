"""Two guests with stock drivers copy 10 MB over TCP: checksums and segmentation work on this datapath."""

import contextlib
import pathlib
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lab.acts import cloud
from tests.system.watch import eventually

NAME = f"tcp-{uuid.uuid4().hex[:8]}"
BOOT_S = 240.0
MEGABYTES = 10
PORT = 5202
_SSH = (
    "ssh",
    *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
    *("-o", "BatchMode=yes", "-o", "ConnectTimeout=5"),
)


@dataclass(frozen=True)
class Guest:
    """One of the two."""

    address: str
    network_id: str
    key: pathlib.Path

    def start(self, script: str) -> subprocess.Popen[str]:
        """Begins a shell script inside."""
        login = (*_SSH, "-i", str(self.key), f"cumulet@{self.address}", script)
        inside = ["ip", "netns", "exec", f"qdhcp-{self.network_id}", *login]
        return subprocess.Popen(inside, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, script: str) -> str:
        """What a shell script prints inside; it must succeed."""
        process = self.start(script)
        out, error = process.communicate(timeout=180)
        assert process.returncode == 0, f"{script}: {error}"
        return out.strip()

    def answers(self) -> bool:
        """Whether one can log in."""
        process = self.start("true")
        process.communicate(timeout=60)
        return process.returncode == 0


@pytest.fixture(scope="module")
def guests(openstack: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Guest]]:
    connection = cloud()
    key = tmp_path_factory.mktemp("key") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with contextlib.ExitStack() as undo:
        connection.compute.create_keypair(name=NAME, public_key=key.with_suffix(".pub").read_text())
        undo.callback(connection.compute.delete_keypair, NAME)
        network = connection.network.create_network(name=NAME)
        undo.callback(connection.network.delete_network, network)
        connection.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.67.0.0/24")
        group = connection.network.create_security_group(name=NAME)
        undo.callback(connection.network.delete_security_group, group)
        connection.network.create_security_group_rule(
            security_group_id=group.id, direction="ingress", ethertype="IPv4", protocol="tcp"
        )
        servers = []
        for number in range(2):
            server = connection.compute.create_server(
                name=f"{NAME}-{number}",
                image_id=connection.image.find_image("cumulet-guest", ignore_missing=False).id,
                flavor_id=connection.compute.find_flavor("m1.tiny", ignore_missing=False).id,
                networks=[{"uuid": network.id}],
                key_name=NAME,
                security_groups=[{"name": NAME}],
            )
            undo.callback(_remove, connection, server)
            servers.append(server)
        active = [connection.compute.wait_for_server(s, interval=0.5, wait=BOOT_S) for s in servers]
        made = [Guest(s.addresses[NAME][0]["addr"], network.id, key) for s in active]
        for guest in made:
            eventually(guest.answers, f"ssh of {guest.address}", BOOT_S)
        yield made


def test_ten_megabytes_arrive_as_they_were_sent(guests: list[Guest]) -> None:
    sender, receiver = guests
    sent = sender.run(f"head -c {MEGABYTES}000000 /dev/urandom > /tmp/data && sha256sum < /tmp/data")
    listening = receiver.start(f"nc -l {PORT} | tee /tmp/data | sha256sum; stat -c %s /tmp/data")
    eventually(lambda: str(PORT) in receiver.run("netstat -ltn 2>/dev/null || ss -ltn"), "the listener", 30)
    sender.run(f"nc -N {receiver.address} {PORT} < /tmp/data")
    out, error = listening.communicate(timeout=180)
    assert out.split() == [*sent.split(), f"{MEGABYTES}000000"], error


def test_the_drivers_are_stock_ones(guests: list[Guest]) -> None:
    """Nothing inside switches offloads off: what the guest is offered is what makes TCP work."""
    assert "virtio_net" in guests[0].run("readlink -f /sys/class/net/*/device/driver")


def _remove(connection: Any, server: Any) -> None:
    connection.compute.delete_server(server)
    connection.compute.wait_for_delete(server, interval=0.5, wait=60)
