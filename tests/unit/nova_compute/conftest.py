"""Documents that the tests of this folder start from."""

import types

import msgspec
import pytest

from contract.instance_data import InstanceAddress, InstanceData, InstanceNic, PublicKey
from contract.server import BootImage, Disk, Flavor, Interface, IscsiTarget, Server

SERVER_ID = "0b6a2f5e-1111-4222-8333-444455556666"
PORT_ID = "7d1f0a3c-aaaa-4bbb-8ccc-ddddeeeeffff"
ATTACHMENT_ID = "c0ffee00-aaaa-4bbb-8ccc-000000000001"


def instance_data() -> InstanceData:
    address = InstanceAddress(
        ip_address="10.0.0.5",
        cidr="10.0.0.0/24",
        gateway_ip="10.0.0.1",
        ip_version=4,
        subnet_id="s",
        network_id="n",
        dns_nameservers=("9.9.9.9",),
    )
    return InstanceData(
        id=SERVER_ID,
        name="web",
        hostname="web.example",
        project_id="p",
        availability_zone="nova",
        instance_type="m1.tiny",
        public_keys=(PublicKey(name="mine", type="ssh", data="ssh-ed25519 AAAA"),),
        metadata={"a": "b"},
        nics=(InstanceNic(port_id=PORT_ID, mac_address="fa:16:3e:00:00:01", mtu=1450, addresses=(address,)),),
        security_groups=("default", "web"),
        reservation_id="r-1",
    )


def image(**more: object) -> BootImage:
    made = BootImage(id="1111", sha512="ab", size_bytes=1, disk_format="qcow2")
    return msgspec.structs.replace(made, **more)


def volume(**more: object) -> Disk:
    target = IscsiTarget(
        portal="192.0.2.1:3260",
        iqn="iqn.2026-01.test:v",
        lun=1,
        chap_username="u",
        chap_password="never-shown",
    )
    made = Disk(attachment_id=ATTACHMENT_ID, volume_id="vol", device="vdb", target=target, serial="vol")
    return msgspec.structs.replace(made, **more)


def nic(**more: object) -> Interface:
    made = Interface(port_id=PORT_ID, mac_address="fa:16:3e:00:00:01", mtu=1450)
    return msgspec.structs.replace(made, **more)


def server(**more: object) -> Server:
    made = Server(
        id=SERVER_ID,
        name="web",
        hostname="web",
        project_id="p",
        flavor=Flavor(vcpus=2, ram_mib=512, disk_gib=1),
        power="on",
        power_generation=1,
        image=image(),
        interfaces=(nic(),),
    )
    return msgspec.structs.replace(made, **more)


@pytest.fixture
def make() -> types.SimpleNamespace:
    """Makers of documents, each taking the fields that differ."""
    return types.SimpleNamespace(
        server=server,
        nic=nic,
        volume=volume,
        image=image,
        instance_data=instance_data,
        server_id=SERVER_ID,
        port_id=PORT_ID,
        attachment_id=ATTACHMENT_ID,
    )
