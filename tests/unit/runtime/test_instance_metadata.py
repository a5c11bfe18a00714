"""What guests read about themselves: OpenStack's and EC2's forms."""

import base64
import json

import msgspec

from contract.instance_data import InstanceAddress, InstanceData, InstanceNic, PublicKey
from runtime import instance_metadata

V4 = InstanceAddress(
    ip_address="10.0.0.5",
    cidr="10.0.0.0/24",
    gateway_ip="10.0.0.1",
    ip_version=4,
    subnet_id="s4",
    network_id="n",
    dns_nameservers=("9.9.9.9",),
    host_routes=(("10.9.0.0/16", "10.0.0.9"),),
)
V6 = InstanceAddress(
    ip_address="fd00::5",
    cidr="fd00::/64",
    gateway_ip="fd00::1",
    ip_version=6,
    subnet_id="s6",
    network_id="n",
    ipv6_address_mode="slaac",
)
DATA = InstanceData(
    id="0b6a2f5e-1111-4222-8333-444455556666",
    name="web",
    hostname="web.example",
    project_id="p",
    availability_zone="nova",
    instance_type="m1.tiny",
    public_keys=(PublicKey(name="mine", type="ssh", data="ssh-ed25519 AAAA"),),
    metadata={"a": "b"},
    user_data=base64.b64encode(b"#!/bin/sh\n\xff").decode(),
    nics=(
        InstanceNic(port_id="7d1f0a3c-aaaa-4bbb", mac_address="fa:16:3e:0:0:1", mtu=1450, addresses=(V4, V6)),
    ),
    security_groups=("default", "web"),
)


def test_meta_data_has_what_cloud_init_reads() -> None:
    told = instance_metadata.meta_data(DATA)
    assert (told["uuid"], told["hostname"], told["meta"]) == (DATA.id, "web.example", {"a": "b"})
    assert told["public_keys"] == {"mine": "ssh-ed25519 AAAA"}
    assert told["keys"] == [{"name": "mine", "type": "ssh", "data": "ssh-ed25519 AAAA"}]


def test_network_data_names_dhcp_and_tells_the_rest() -> None:
    told = instance_metadata.network_data(DATA)
    assert told["links"][0] | {"mtu": 0} == {
        "id": "tap7d1f0a3c-aa",
        "vif_id": "7d1f0a3c-aaaa-4bbb",
        "type": "ovs",
        "mtu": 0,
        "ethernet_mac_address": "fa:16:3e:0:0:1",
    }
    v4, v6 = told["networks"]
    assert v4 == {"id": "network0", "type": "ipv4_dhcp", "link": "tap7d1f0a3c-aa", "network_id": "n"}
    assert (v6["type"], v6["ip_address"]) == ("ipv6_slaac", "fd00::5")
    assert told["services"] == [{"type": "dns", "address": "9.9.9.9"}]
    static = msgspec.structs.replace(V4, is_dhcp=False)
    nic = msgspec.structs.replace(DATA.nics[0], addresses=(static,))
    (network,) = instance_metadata.network_data(msgspec.structs.replace(DATA, nics=(nic,)))["networks"]
    assert (network["type"], network["netmask"]) == ("ipv4", "255.255.255.0")
    assert network["routes"] == [
        {"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.0.0.1"},
        {"network": "10.9.0.0", "netmask": "255.255.0.0", "gateway": "10.0.0.9"},
    ]


def test_user_data_is_the_user_s_bytes() -> None:
    assert instance_metadata.openstack_files(DATA)["user_data"] == b"#!/bin/sh\n\xff"
    assert "user_data" not in instance_metadata.openstack_files(msgspec.structs.replace(DATA, user_data=None))


def test_ec2_is_walked_as_a_tree() -> None:
    def answer(path: str) -> str | None:
        return instance_metadata.ec2_answer(DATA, path)

    assert answer("instance-id") == "i-0b6a2f5e"
    assert answer("/local-ipv4") == "10.0.0.5"
    assert answer("public-keys/") == "0=mine"
    assert answer("public-keys/0/") == "openssh-key"
    assert answer("public-keys/0/openssh-key") == "ssh-ed25519 AAAA"
    assert answer("security-groups") == "default\nweb"
    assert answer("no-such-thing") is None
    top = (answer("") or "").splitlines()
    assert "placement/" in top and "hostname" in top


def test_the_config_drive_has_both_forms() -> None:
    files = instance_metadata.config_drive_files(DATA)
    assert json.loads(files["openstack/latest/meta_data.json"])["uuid"] == DATA.id
    assert json.loads(files["ec2/latest/meta-data.json"])["placement"] == {"availability-zone": "nova"}
    assert files["openstack/latest/user_data"] == files["ec2/latest/user-data"]
