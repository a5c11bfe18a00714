"""``python -m lab.contents``: what the cloud offers from the start: flavors, an image, networks, a router.

Safe to repeat: only what is missing is made. The image is replaced when its file changed.
"""

import hashlib
from typing import Any

from lab.acts import act, cloud, run, wait_for
from lab.up import outside, places

#: Name: id, memory in MiB, virtual CPUs, disk in GiB.
FLAVORS = {
    "m1.tiny": ("1", 128, 1, 1),
    "m1.small": ("2", 512, 1, 5),
    "m1.medium": ("3", 1024, 2, 10),
    "m1.large": ("4", 4096, 2, 20),
}
IMAGE = "cumulet-guest"
NETWORK = "demo"
SUBNET = "demo-ipv4"
SUBNET_RANGE = "10.10.0.0/24"
EXTERNAL = "public"
ROUTER = "demo"
_FIND_SERVICES_S = 60.0


def main() -> None:
    """Makes what is missing."""
    connection = cloud()
    _flavors(connection)
    _image(connection)
    _agents(connection)
    subnet = _network(connection)
    external = _external(connection)
    _router(connection, external, subnet)


def _flavors(connection: Any) -> None:
    known = {flavor.name for flavor in connection.compute.flavors()}
    for name, (flavor_id, ram, vcpus, disk) in FLAVORS.items():
        if name not in known:
            command = (
                f"openstack flavor create --id {flavor_id} --ram {ram} --vcpus {vcpus} --disk {disk} {name}"
            )
            with act(f"flavor {name}", command):
                connection.compute.create_flavor(name=name, id=flavor_id, ram=ram, vcpus=vcpus, disk=disk)


def _image(connection: Any) -> None:
    md5 = hashlib.md5(places.GUEST_IMAGE.read_bytes(), usedforsecurity=False).hexdigest()
    for image in connection.image.images(name=IMAGE):
        if image.status == "active" and image.checksum == md5:
            return
        with act(f"image {IMAGE} of another build removed", f"openstack image delete {image.id}"):
            connection.image.delete_image(image)
    with act(
        f"image {IMAGE}",
        f"openstack image create --disk-format qcow2 --public --file {places.GUEST_IMAGE} {IMAGE}",
    ):
        connection.image.create_image(
            IMAGE,
            filename=str(places.GUEST_IMAGE),
            disk_format="qcow2",
            container_format="bare",
            visibility="public",
        )


def _network(connection: Any) -> Any:
    """Gives its IPv4 subnet back."""
    network = connection.network.find_network(NETWORK)
    if network is None:
        with act(f"network {NETWORK}", f"openstack network create {NETWORK}"):
            network = connection.network.create_network(name=NETWORK)
    for subnet in connection.network.subnets(network_id=network.id, ip_version=4):
        return subnet
    command = f"openstack subnet create --network {NETWORK} --subnet-range {SUBNET_RANGE} {SUBNET}"
    with act(f"subnet {SUBNET}", command):
        return connection.network.create_subnet(
            network_id=network.id, name=SUBNET, ip_version=4, cidr=SUBNET_RANGE
        )


def _external(connection: Any) -> Any:
    """The network of floating IPs: flat on the bridge that stands for the outside, this machine its gateway."""
    network = connection.network.find_network(EXTERNAL)
    if network is None:
        given = f"--provider-network-type flat --provider-physical-network {outside.PHYSICAL_NETWORK}"
        with act(f"network {EXTERNAL}", f"openstack network create --external {given} {EXTERNAL}"):
            network = connection.network.create_network(
                name=EXTERNAL,
                is_router_external=True,
                provider_network_type="flat",
                provider_physical_network=outside.PHYSICAL_NETWORK,
            )
    if not list(connection.network.subnets(network_id=network.id)):
        words = f"--network {EXTERNAL} --subnet-range {outside.RANGE} --gateway {outside.ADDRESS} --no-dhcp"
        with act(f"subnet {EXTERNAL}", f"openstack subnet create {words} {EXTERNAL}"):
            connection.network.create_subnet(
                network_id=network.id,
                name=EXTERNAL,
                ip_version=4,
                cidr=outside.RANGE,
                gateway_ip=outside.ADDRESS,
                is_dhcp_enabled=False,
            )
    return network


def _router(connection: Any, external: Any, subnet: Any) -> None:
    router = connection.network.find_router(ROUTER)
    if router is None:
        create = f"openstack router create --external-gateway {EXTERNAL} {ROUTER}"
        with act(f"router {ROUTER}", create):
            router = connection.network.create_router(
                name=ROUTER, external_gateway_info={"network_id": external.id}
            )
    ports = connection.network.ports(device_id=router.id, device_owner="network:router_interface")
    if not any(fixed["subnet_id"] == subnet.id for port in ports for fixed in port.fixed_ips):
        with act(f"router {ROUTER} on {SUBNET}", f"openstack router add subnet {ROUTER} {SUBNET}"):
            connection.network.add_interface_to_router(router, subnet_id=subnet.id)


def _agents(connection: Any) -> None:
    """Waits until this host's agents were heard: before that, no server finds a host."""
    wait_for(
        "the compute service",
        lambda: _any_up(connection.compute.services(binary="nova-compute")),
        _FIND_SERVICES_S,
    )
    wait_for(
        "the network agent", lambda: [a for a in connection.network.agents() if a.is_alive], _FIND_SERVICES_S
    )
    wait_for("the volume service", lambda: _any_up(connection.block_storage.services()), _FIND_SERVICES_S)


def _any_up(services: Any) -> bool:
    return any(service.state == "up" for service in services)


if __name__ == "__main__":
    run(main)
