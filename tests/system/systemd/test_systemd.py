"""Cumulet under a real systemd: installed, booted, restarted and reloaded under traffic; its host rebooted alone.

The embedded profile first, then each agent as a unit of its own, which takes the ledgers over as they are, then the
full profile. The tests follow each other on one host.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import openstack
import pytest

from lab.up import places
from tests.system.systemd import amid, nspawn, nspawn_servers
from tests.system.systemd.amid import Operations
from tests.system.systemd.nspawn import Host
from tests.system.systemd.nspawn_guest import KEY, PINGS_A_SECOND, Guest
from tests.system.systemd.nspawn_servers import BROKER_URL, DATABASE_URL
from tests.system.watch import eventually

ALLINONE = "cumulet-allinone"
AGENTS = ("cumulet-nova-compute", "cumulet-ovs-agent", "cumulet-volume-agent")
CONTROLLER = ("cumulet-controller-api", "cumulet-controller-engine")
#: No broker listens there at first: whoever is not in one process with the controller is alone.
CONFIG = f"""\
[DEFAULT]
my_ip = {nspawn.HOST_IP}
image_endpoint = http://{nspawn.HOST_IP}:5000
transport_url = {BROKER_URL}
"""
ALLINONE_CONFIG = "[DEFAULT]\ntransport_url = inprocess:///run/cumulet/bus.sock\n"
PASSWORD = "under-systemd"
#: Where the database is when no controller is to find it.
ASIDE = "/var/lib/cumulet/aside"
#: systemd-analyze's figure, times ten, that the controller's units must not exceed.
MOST_EXPOSED = 40
#: What the whole host has, for all that is done with it here.
MEMORY_MIB = 2048


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """Installed and configured, with everything enabled, booted."""
    with nspawn.host(MEMORY_MIB) as made:
        _install(made.root)
        made.write("etc/cumulet/cumulet.conf", CONFIG)
        for program in (ALLINONE, "controller-manage"):
            made.write(f"etc/cumulet/{program}.conf", ALLINONE_CONFIG)
        made.write("root/password", f"{PASSWORD}\n")
        amid.prepare(made, ALLINONE, *AGENTS, *CONTROLLER)
        made.enable("libvirtd.service", "tgt.service", "openvswitch-switch.service", "cumulet.target")
        made.boot()
        manage = "/usr/local/bin/controller-manage"
        made.run(manage, "migrate")
        url = f"http://{nspawn.HOST_IP}:5000"
        made.run(manage, "bootstrap", "--admin-password-file", "/root/password", "--url", url)
        made.write("etc/cumulet/host.key", made.run(manage, "host-key", made.name) + "\n", 0o600)
        made.run("systemd-tmpfiles", "--create", "cumulet.conf")
        made.run("systemctl", "enable", "--now", ALLINONE)
        yield made
        assert made.memory.killed() == 0


@pytest.fixture(scope="module")
def guest(host: Host) -> Guest:
    cloud = _cloud()
    eventually(lambda: _is_whole(cloud), "the first heartbeats", 60)
    host.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY)
    cloud.compute.create_keypair(name="key", public_key=host.run("cat", f"{KEY}.pub"))
    image = cloud.image.create_image(
        "guest",
        filename=str(places.CACHE / places.GUEST_IMAGE.name),
        disk_format="qcow2",
        container_format="bare",
    )
    flavor = cloud.compute.create_flavor(name="tiny", ram=128, vcpus=1, disk=1)
    network = cloud.network.create_network(name="net")
    cloud.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.10.0.0/24")
    group = cloud.network.create_security_group(name="open")
    cloud.network.create_security_group_rule(
        security_group_id=group.id, direction="ingress", ethertype="IPv4"
    )
    volume = cloud.block_storage.create_volume(size=1)
    server = cloud.compute.create_server(
        name="guest",
        image_id=image.id,
        flavor_id=flavor.id,
        networks=[{"uuid": network.id}],
        key_name="key",
        security_groups=[{"name": "open"}],
    )
    cloud.block_storage.wait_for_status(volume, "available", failures=["error"], wait=60)
    server = cloud.compute.wait_for_server(server, wait=120)
    address = server.addresses["net"][0]["addr"]
    made = Guest(host, server.id, address, f"qdhcp-{network.id}")
    eventually(made.answers, "the guest's first pong", 120)
    cloud.compute.create_volume_attachment(server, volume_id=volume.id)
    cloud.block_storage.wait_for_status(volume, "in-use", failures=["error"], wait=60)
    return made


def test_units_are_sound(host: Host) -> None:
    units = [path.name for path in sorted((places.CHECKOUT / "etc/systemd").iterdir())]
    assert host.run("systemd-analyze", "verify", *units) == ""


@pytest.mark.parametrize("unit", CONTROLLER)
def test_the_controller_is_closed(host: Host, unit: str) -> None:
    host.run("systemd-analyze", "security", f"--threshold={MOST_EXPOSED}", f"{unit}.service")


def test_guest_runs_with_its_volume(guest: Guest) -> None:
    guest.log_in()
    guest.run(
        "sudo mkfs.ext4 -q -F /dev/vdb && sudo mount /dev/vdb /mnt && echo kept | sudo tee /mnt/file && sync"
    )


def test_all_of_it_fits_in_two_gib(host: Host, guest: Guest) -> None:
    """The host's systemd, daemons, the cloud and an idle guest of 128 MiB; page cache counts as long as it stays."""
    eventually(guest.answers, "the guest", 60)
    print(f"{host.memory.usage_mib()} MiB, at most {host.memory.most_mib()}, of {MEMORY_MIB}")
    assert host.memory.killed() == 0
    assert host.memory.most_mib() < MEMORY_MIB


def test_allinone_restarts_and_reloads_without_loss(host: Host, guest: Guest) -> None:
    before = host.property(ALLINONE, "MainPID")
    sent, lost = guest.lost_while(lambda: host.run("systemctl", "restart", ALLINONE))
    assert host.property(ALLINONE, "MainPID") != before
    assert sent > PINGS_A_SECOND and not lost, f"{lost} of {sent}"
    before = host.property(ALLINONE, "MainPID")
    host.write("etc/cumulet/cumulet.conf", CONFIG + "debug = true\n")
    sent, lost = guest.lost_while(lambda: host.run("systemctl", "reload", ALLINONE))
    assert host.property(ALLINONE, "MainPID") == before
    assert not lost, f"{lost} of {sent}"
    eventually(lambda: host.journal(ALLINONE, "--priority=debug..debug"), "lines of level debug", 30)
    host.write("etc/cumulet/cumulet.conf", CONFIG)
    assert not re.search(r"\d\d:\d\d:\d\d\.\d{3} \d+ INFO", host.journal(ALLINONE)), (
        "the journal has the time itself"
    )


@pytest.fixture(scope="module")
def operations(guest: Guest) -> Operations:
    return Operations(guest, _cloud)


@pytest.mark.parametrize(("unit", "verb"), amid.EMBEDDED)
def test_allinone_restarts_amid(operations: Operations, unit: str, verb: str) -> None:
    operations.during(verb, unit)


def test_reboot_with_the_controller_gone(host: Host, guest: Guest) -> None:
    host.run("systemctl", "disable", ALLINONE)
    host.run("systemctl", "enable", *AGENTS)
    host.run("systemctl", "stop", ALLINONE)
    host.run("sh", "-c", f"mkdir {ASIDE} && mv /var/lib/cumulet/cumulet.db* {ASIDE}/")
    host.reboot()
    assert host.property(ALLINONE, "ActiveState") == "inactive"
    eventually(guest.answers, "the guest after the reboot of its host", 120)
    guest.log_in()
    assert "kept" in guest.run("sudo mount /dev/vdb /mnt && cat /mnt/file")
    told = guest.run("wget -q -O - http://169.254.169.254/openstack/latest/meta_data.json")
    assert guest.server_id in told


@pytest.mark.parametrize("unit", AGENTS)
def test_an_agent_restarts_without_loss(host: Host, guest: Guest, unit: str) -> None:
    sent, lost = guest.lost_while(lambda: host.run("systemctl", "restart", unit))
    assert sent > PINGS_A_SECOND and not lost, f"{lost} of {sent}"
    assert host.property(unit, "ActiveState") == "active"


def test_the_full_profile_takes_over(host: Host, guest: Guest) -> None:
    """A database server and a broker come, and the rows move; what was one process is five, which find the broker."""
    nspawn_servers.start(host)
    host.write("etc/cumulet/cumulet.conf", f"{CONFIG}[database]\nconnection = {DATABASE_URL}\n")
    host.write("etc/cumulet/controller-manage.conf", "")
    host.write("root/source", f"sqlite:///{ASIDE}/cumulet.db\n", 0o600)
    host.write("root/target", f"{DATABASE_URL}\n", 0o600)
    manage = "/usr/local/bin/controller-manage"
    host.run(manage, "move-database", "--source-file", "/root/source", "--target-file", "/root/target")
    host.run("chown", "-R", "cumulet:cumulet", "/var/lib/cumulet/images-store")
    host.run("systemctl", "enable", "--now", *CONTROLLER)
    cloud = _cloud()
    eventually(lambda: _is_whole(cloud), "the agents' return", 120)
    assert cloud.compute.get_server(guest.server_id).status == "ACTIVE"


def test_the_controller_runs_closed(host: Host, guest: Guest) -> None:
    for unit in CONTROLLER:
        assert host.run("ps", "-o", "user=", "-p", host.property(unit, "MainPID")) == "cumulet"
        sent, lost = guest.lost_while(lambda u=unit: host.run("systemctl", "restart", u))
        assert sent > PINGS_A_SECOND and not lost, f"{unit}: {lost} of {sent}"
    assert _cloud().compute.get_server(guest.server_id).name == "guest"


@pytest.mark.parametrize(("unit", "verb"), amid.FULL)
def test_a_unit_restarts_amid(operations: Operations, unit: str, verb: str) -> None:
    operations.during(verb, unit)


def test_start_order_does_not_matter(host: Host, guest: Guest) -> None:
    agent = "cumulet-ovs-agent"
    host.run("systemctl", "stop", "ovs-vswitchd", "ovsdb-server", agent)
    host.run("systemctl", "start", "--no-block", agent)
    eventually(lambda: host.property(agent, "ExecMainStatus") == "75", "its end for want of OVSDB", 60)
    host.run("systemctl", "start", "openvswitch-switch")
    eventually(lambda: host.property(agent, "ActiveState") == "active", "its return", 60)
    eventually(guest.answers, "the guest behind the new switch", 60)


def test_a_stuck_process_is_started_anew(host: Host) -> None:
    agent = "cumulet-volume-agent"
    host.write(
        f"etc/systemd/system/{agent}.service.d/short.conf", "[Service]\nWatchdogSec=4\nTimeoutAbortSec=1\n"
    )
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "restart", agent)
    before = host.property(agent, "MainPID")
    host.run("systemctl", "kill", "--kill-who=main", "--signal=STOP", agent)
    eventually(lambda: "Watchdog timeout" in host.journal(agent), "systemd's patience", 60)
    eventually(lambda: host.property(agent, "ActiveState") == "active", "its return", 60)
    assert host.property(agent, "MainPID") not in ("0", before)


def test_wrong_configuration_is_named_and_not_started_again(host: Host) -> None:
    agent = "cumulet-volume-agent"
    host.write("etc/cumulet/volume-agent.conf", "[DEFAULT]\nvolume_driver = tape\n")
    host.run("systemctl", "restart", agent, status=1)
    assert host.property(agent, "ActiveState") == "failed"
    assert host.property(agent, "ExecMainStatus") == "78"
    for word in ("volume_driver", "/etc/cumulet/volume-agent.conf", "Correct the option"):
        assert word in host.journal(agent)
    host.write("etc/cumulet/volume-agent.conf", "")
    host.run("systemctl", "start", agent)


def _install(root: pathlib.Path) -> None:
    """As ``make install`` does it, without network: ``make prepare`` has fetched all."""
    done = subprocess.run(
        [sys.executable, "-m", "lab.install", "--root", str(root)],
        cwd=places.CHECKOUT,
        env=os.environ | {"UV_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _cloud() -> Any:
    return openstack.connect(
        auth_url=f"http://{nspawn.HOST_IP}:5000/identity/v3",
        username="admin",
        password=PASSWORD,
        project_name="admin",
        user_domain_id="default",
        project_domain_id="default",
        region_name="RegionOne",
    )


def _is_whole(cloud: Any) -> bool:
    with contextlib.suppress(openstack.exceptions.SDKException):
        agents = list(cloud.network.agents())
        services = [*cloud.compute.services(binary="nova-compute"), *cloud.block_storage.services()]
        return bool(agents) and all(a.is_alive for a in agents) and len(services) > 1
    return False
