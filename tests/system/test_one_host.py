"""The whole way on one host, as a user walks it with the unmodified ``openstack`` client.

The tests run in the order of the file on one server; the last removes everything and looks at the host.
"""

import base64
import contextlib
import gzip
import hashlib
import pathlib
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lab.up import places
from tests.system.watch import eventually, output_of

NAME = f"one-host-{uuid.uuid4().hex[:8]}"
RANGE = "10.77.0.0/24"
BOOT_S = 180.0
_SSH = (
    "ssh",
    *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
    *("-o", "BatchMode=yes", "-o", "ConnectTimeout=5"),
)


@dataclass
class Guest:
    """What the tests know of the server that they share."""

    server_id: str
    port_id: str
    mac: str
    address: str
    network_id: str
    volume_id: str
    key: pathlib.Path

    def inside(self, script: str) -> str:
        """What a shell script prints inside the server."""
        done = self.ssh(script)
        assert done.returncode == 0, f"inside: {script}: {done.stderr}"
        return done.stdout.strip()

    def answers_ssh(self) -> bool:
        """Whether one can log in."""
        return self.ssh("true").returncode == 0

    def ssh(self, script: str) -> subprocess.CompletedProcess[str]:
        """Logs in by the key, from the network's own namespace."""
        login = (*_SSH, "-i", str(self.key), f"cumulet@{self.address}", script)
        return subprocess.run(
            ["ip", "netns", "exec", f"qdhcp-{self.network_id}", *login],
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )


@pytest.fixture(scope="module")
def guest(openstack: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """A server with all that it needs, made by the client."""
    key = tmp_path_factory.mktemp("key") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    image = ("--disk-format", "qcow2", "--container-format", "bare", "--file", str(places.GUEST_IMAGE))
    assert openstack("image", "create", *image, NAME)["status"] == "active"
    network_id = openstack("network", "create", NAME)["id"]
    openstack("subnet", "create", "--network", NAME, "--subnet-range", RANGE, NAME)
    openstack("security", "group", "create", NAME)
    openstack("security", "group", "rule", "create", "--protocol", "icmp", NAME)
    openstack("security", "group", "rule", "create", "--protocol", "tcp", "--dst-port", "22", NAME)
    openstack("keypair", "create", "--public-key", f"{key}.pub", NAME)
    openstack("flavor", "create", "--ram", "128", "--vcpus", "1", "--disk", "1", NAME)
    volume_id = openstack("volume", "create", "--size", "1", NAME)["id"]
    needs = (
        "--image",
        NAME,
        "--flavor",
        NAME,
        "--network",
        NAME,
        "--key-name",
        NAME,
        "--security-group",
        NAME,
    )
    server = openstack("server", "create", *needs, "--wait", NAME)
    port = openstack("port", "list", "--server", server["id"])[0]
    address = port["Fixed IP Addresses"][0]["ip_address"]
    yield Guest(server["id"], port["ID"], port["MAC Address"], address, network_id, volume_id, key)


def test_it_is_active_on_this_host(openstack: Any, guest: Guest) -> None:
    shown = openstack("server", "show", guest.server_id)
    assert shown["status"] == "ACTIVE"
    assert shown["addresses"] == {NAME: [guest.address]}
    assert guest.server_id in output_of("virsh", "list", "--uuid")


def test_it_answers_ping(guest: Guest) -> None:
    ping = ["ip", "netns", "exec", f"qdhcp-{guest.network_id}", "ping", "-c", "1", "-W", "1", guest.address]
    eventually(lambda: subprocess.run(ping, capture_output=True).returncode == 0, "ping", BOOT_S)


def test_one_logs_in_by_key_and_finds_its_name(guest: Guest) -> None:
    eventually(guest.answers_ssh, "ssh", BOOT_S)
    assert guest.inside("hostname").startswith(NAME)


def test_console_log_shows_the_boot(openstack: Any, guest: Guest) -> None:
    assert "cumulet-guest" in openstack.text("console", "log", "show", guest.server_id)


def test_volume_is_written_and_read_from_inside(openstack: Any, guest: Guest) -> None:
    openstack.text("server", "add", "volume", guest.server_id, guest.volume_id)
    eventually(lambda: guest.ssh("test -b /dev/vdb").returncode == 0, "the volume inside")
    guest.inside("sudo mkfs.ext4 -q -F /dev/vdb && sudo mkdir -p /mnt/v && sudo mount /dev/vdb /mnt/v")
    guest.inside("echo kept | sudo tee /mnt/v/file && sudo umount /mnt/v")
    openstack.text("server", "remove", "volume", guest.server_id, guest.volume_id)
    eventually(lambda: guest.ssh("test -b /dev/vdb").returncode == 1, "the volume's going")
    eventually(lambda: openstack("volume", "show", guest.volume_id)["status"] == "available", "free volume")
    openstack.text("server", "add", "volume", guest.server_id, guest.volume_id)
    eventually(lambda: guest.ssh("test -b /dev/vdb").returncode == 0, "the volume inside again")
    assert guest.inside("sudo mount /dev/vdb /mnt/v && cat /mnt/v/file && sudo umount /mnt/v") == "kept"


def test_stop_and_start(openstack: Any, guest: Guest) -> None:
    openstack.text("server", "stop", guest.server_id)
    eventually(lambda: _status(openstack, guest) == "SHUTOFF", "SHUTOFF", 60)
    assert guest.server_id not in output_of("virsh", "list", "--state-running", "--uuid")
    openstack.text("server", "start", guest.server_id)
    eventually(lambda: _status(openstack, guest) == "ACTIVE", "ACTIVE", 60)
    eventually(guest.answers_ssh, "ssh after start", BOOT_S)


@pytest.mark.parametrize("kind", ["--soft", "--hard"])
def test_reboot(openstack: Any, guest: Guest, kind: str) -> None:
    boot_id = "cat /proc/sys/kernel/random/boot_id"
    before = guest.inside(boot_id)
    openstack.text("server", "reboot", kind, "--wait", guest.server_id)

    def is_another_boot() -> bool:
        done = guest.ssh(boot_id)
        return done.returncode == 0 and done.stdout.strip() != before

    eventually(is_another_boot, "another boot", BOOT_S)


@pytest.fixture
def canary() -> Iterator[pathlib.Path]:
    """A file of the host that every process of it may read, and no guest."""
    path = pathlib.Path("/var/tmp", f"canary-{uuid.uuid4().hex}")
    path.write_text(f"{path.name}\n" * 40000)
    yield path
    path.unlink()


def test_a_header_that_the_guest_writes_is_its_data(
    openstack: Any, guest: Guest, canary: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """A qcow2 header over the volume and the root disk, naming a file of the host as its base: whatever is
    done with them afterwards, nothing opens that file. (The root disk is of no use to the guest then.)"""
    image = tmp_path / "header"
    base = ("-F", "raw", "-b", str(canary))
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *base, str(image), "1M"], check=True)
    header, packed = image.read_bytes(), base64.b64encode(gzip.compress(image.read_bytes())).decode()
    unpack = f"echo {packed} | base64 -d | gunzip | sudo dd conv=fsync"
    first = f"sudo head -c {len(header)} /dev/vdb | sha256sum"
    guest.inside(f"{unpack} of=/dev/vdb")
    openstack.text("server", "remove", "volume", guest.server_id, guest.volume_id)
    eventually(lambda: openstack("volume", "show", guest.volume_id)["status"] == "available", "free volume")
    openstack.text("volume", "set", "--size", "2", guest.volume_id)
    eventually(lambda: openstack("volume", "show", guest.volume_id)["status"] == "available", "larger volume")
    openstack.text("server", "add", "volume", guest.server_id, guest.volume_id)
    eventually(lambda: guest.ssh("test -b /dev/vdb").returncode == 0, "the volume inside")
    assert guest.inside(first).split()[0] == hashlib.sha256(header).hexdigest()
    assert guest.inside("cat /sys/block/vdb/size") == str((2 << 30) // 512)
    assert not _openers(canary)
    guest.inside(f"{unpack} of=/dev/vda")
    openstack.text("server", "reboot", "--hard", "--wait", guest.server_id)
    openstack.text("server", "stop", guest.server_id)
    eventually(lambda: _status(openstack, guest) == "SHUTOFF", "SHUTOFF", 60)
    openstack.text("server", "start", guest.server_id)
    eventually(lambda: _status(openstack, guest) == "ACTIVE", "ACTIVE", 60)
    assert not _openers(canary)


def test_nothing_is_left_after_deletion(openstack: Any, guest: Guest) -> None:
    openstack.text("server", "delete", "--wait", guest.server_id)
    eventually(
        lambda: openstack("volume", "show", guest.volume_id)["status"] == "available", "free volume", 60
    )
    openstack.text("volume", "delete", guest.volume_id)
    openstack.text("network", "delete", NAME)
    openstack.text("security", "group", "delete", NAME)
    openstack.text("keypair", "delete", NAME)
    openstack.text("flavor", "delete", NAME)
    openstack.text("image", "delete", NAME)
    eventually(lambda: not _left_on_host(guest), "an empty host", 60)


def test_lists_are_empty_of_it(openstack: Any) -> None:
    for kind in ("server", "volume", "network", "subnet", "port", "image", "flavor", "keypair"):
        assert NAME not in openstack.text(kind, "list"), kind


def _status(openstack: Any, guest: Guest) -> str:
    return str(openstack("server", "show", guest.server_id)["status"])


def _openers(path: pathlib.Path) -> list[str]:
    """Commands of the processes that have the file open."""
    found = []
    for link in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):  # it has ended
            if link.readlink() == path:
                found.append((link.parents[1] / "cmdline").read_text())
    return found


def _left_on_host(guest: Guest) -> list[str]:
    """Each trace of the server, its port, network and volume on this host."""
    traces = {
        "domain": (guest.server_id, output_of("virsh", "list", "--all", "--uuid")),
        "port": (guest.port_id, output_of("ovs-vsctl", "list", "interface")),
        "flow": (guest.mac, output_of("ovs-ofctl", "-O", "OpenFlow15", "dump-flows", "br-int")),
        "namespace": (guest.network_id, output_of("ip", "netns", "list")),
        "target": (
            guest.volume_id,
            output_of("tgtadm", "--lld", "iscsi", "--mode", "target", "--op", "show"),
        ),
    }
    left = [name for name, (trace, text) in traces.items() if trace in text]
    ids = (guest.server_id, guest.port_id, guest.network_id, guest.volume_id)
    files = [str(path) for path in places.STATE.rglob("*") if any(one in path.name for one in ids)]
    return left + files
