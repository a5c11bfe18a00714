"""The guest image booted: what clients and tests expect to find inside. In order, as a boot is expensive."""

import pathlib
from typing import Any

from oslo_utils.imageutils import format_inspector

TOOLS = """sh ip ping ping6 lsblk blkid mkfs.ext4 mkfs.vfat mount umount curl nc hostname awk cut grep sync
tee udhcpc dhcpcd dd iperf3 sha256sum su sudo ssh""".split()  # noqa: SIM905


def test_image_is_small_and_passes_inspection(image: pathlib.Path) -> None:
    assert image.stat().st_size < 32_000_000
    found = format_inspector.detect_file_format(str(image))
    assert str(found) == "qcow2"
    found.safety_check()


def test_console_tells_and_asks_to_log_in(guest: Any) -> None:
    assert "instance data from config-drive" in guest.console()
    guest.wait(lambda: "first-guest login:" in guest.console(), 20)


def test_logs_in_by_key_with_the_name_set(guest: Any) -> None:
    assert guest.ssh("hostname").strip() == "first-guest"
    assert guest.ssh("sudo -E -H id -u").strip() == "0"
    assert guest.ssh("sudo su -c 'id -u'").strip() == "0"
    assert guest.ssh("id -u", user="root").strip() == "0"


def test_tools_are_there(guest: Any) -> None:
    assert guest.ssh(f"for t in {' '.join(TOOLS)}; do which $t >/dev/null || echo $t; done") == ""
    assert "1 received" in guest.ssh("ping -c1 127.0.0.1")
    assert "1 received" in guest.ssh("ping6 -c1 ::1")
    assert "eth0" in guest.ssh("ip -o link")
    assert "10.0.2.15/24" in guest.ssh("ip -o addr")
    assert guest.ssh("sudo lsblk -lb --nodeps | grep vda").split()[3] == str(1 << 30)
    assert "vda1" in guest.ssh("sudo lsblk --fs --ascii")


def test_root_grew_to_the_disk(guest: Any) -> None:
    assert int(guest.ssh("df -k / | tail -1 | awk '{print $2}'")) > 900_000


def test_netcat_serves_again_and_again_and_speaks_udp(guest: Any) -> None:
    guest.ssh("nc -lk -p 8080 -e echo hello >/dev/null 2>&1 & sleep 1")
    for _ in range(2):
        assert guest.ssh("nc -w 2 127.0.0.1 8080 </dev/null").strip() == "hello"
    said = guest.ssh(
        "(timeout 5 nc -ul -p 9999 >/tmp/udp &); sleep 1; echo word | nc -u -w1 127.0.0.1 9999; cat /tmp/udp"
    )
    assert said.strip() == "word"


def test_user_data_ran(guest: Any) -> None:
    assert "user data on first-guest" in guest.console()
    assert guest.ssh("cat /var/user-data-ran").split() == ["once"]


def test_disk_and_nic_appear_when_plugged_and_go(guest: Any) -> None:
    disk = guest.work / "second.raw"
    with disk.open("wb") as file:
        file.truncate(64 << 20)
    guest.qmp(
        {
            "execute": "blockdev-add",
            "arguments": {"driver": "file", "filename": str(disk), "node-name": "second"},
        },
        {
            "execute": "device_add",
            "arguments": {"driver": "virtio-blk-pci", "drive": "second", "id": "vd", "serial": "abc"},
        },
        {"execute": "netdev_add", "arguments": {"type": "user", "id": "more", "net": "10.9.0.0/24"}},
        {"execute": "device_add", "arguments": {"driver": "virtio-net-pci", "netdev": "more", "id": "nic"}},
    )
    guest.wait(lambda: "vdc" in guest.ssh("lsblk -l --nodeps"), 20)
    assert guest.ssh("cat /sys/block/vdc/serial").strip() == "abc"
    guest.ssh("sudo mkfs.ext4 -q /dev/vdc && sudo mount /dev/vdc /mnt")
    assert guest.ssh("echo x | sudo tee /mnt/f && sync && sudo umount /mnt").strip() == "x"
    guest.wait(lambda: "10.9.0." in guest.ssh("ip -o addr"), 20)
    assert "dev eth0" in guest.ssh("ip route get 8.8.8.8"), "the first NIC keeps the default route"
    guest.qmp(
        {"execute": "device_del", "arguments": {"id": "vd"}},
        {"execute": "device_del", "arguments": {"id": "nic"}},
    )
    guest.wait(lambda: "vdc" not in guest.ssh("lsblk -l --nodeps"), 20)
    guest.wait(lambda: "eth1" not in guest.ssh("ip -o link"), 20)
    guest.wait(lambda: "udhcpc.eth1" not in guest.ssh("ls /run"), 20)


def test_power_button_powers_off_and_everything_survives(guest: Any) -> None:
    guest.ssh("echo kept >/tmp/kept && sync")
    host_key = guest.ssh("sudo sha256sum /etc/dropbear/dropbear_ed25519_host_key")
    guest.qmp({"execute": "system_powerdown"})
    guest.wait(guest.is_off, 30)
    guest.start()
    assert guest.ssh("cat /tmp/kept").strip() == "kept"
    assert guest.ssh("cat /var/user-data-ran").split() == ["once"], (
        "user data runs once in an instance's life"
    )
    assert guest.ssh("sudo sha256sum /etc/dropbear/dropbear_ed25519_host_key") == host_key


def test_copy_as_another_instance_gets_keys_of_its_own(guest: Any) -> None:
    host_key = guest.ssh("sudo sha256sum /etc/dropbear/dropbear_ed25519_host_key")
    guest.kill()
    guest.write_config_drive(
        "99999999-2222-4333-8444-555555555555", "#!/bin/sh\necho again >>/var/user-data-ran\n"
    )
    guest.start()
    guest.wait(lambda: "user data ended with 0" in guest.console(), 20)
    assert guest.ssh("cat /var/user-data-ran").split() == ["once", "again"]
    assert guest.ssh("sudo sha256sum /etc/dropbear/dropbear_ed25519_host_key") != host_key


def test_metadata_service(new_guest: Any) -> None:
    guest = new_guest
    guest.serve_metadata("22222222-2222-4333-8444-555555555555", "#!/bin/sh\necho by service\n")
    guest.start()
    assert "instance data from service" in guest.console()
    assert guest.ssh("hostname").strip() == "first-guest"
    guest.wait(lambda: "by service" in guest.console(), 20)
