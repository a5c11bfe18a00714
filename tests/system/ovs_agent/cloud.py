"""Documents for tests: small networks, ports and groups with ids that are easy to read."""

import uuid

from contract.instance_data import InstanceData, InstanceNic
from contract.network import Network, ServicePort, Subnet
from contract.port import AddressPair, FixedIp, Port
from contract.security_group import Member, Rule, SecurityGroup
from contract.segment import Segment


def identity(name):
    """A UUID that is always the same for a name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def network(name, vni, cidr4="10.1.0.0/24", cidr6="", **fields):
    """A network with DHCP, and its segment."""
    base = cidr4.rsplit(".", 1)[0]
    subnets = [
        Subnet(
            id=identity(f"{name}-v4"),
            cidr=cidr4,
            ip_version=4,
            gateway_ip=f"{base}.1",
            dns_nameservers=("9.9.9.9",),
        )
    ]
    addresses = [f"{base}.2/24"]
    if cidr6:
        prefix = cidr6.partition("/")[0]
        mode = "dhcpv6-stateful"
        subnets.append(Subnet(id=identity(f"{name}-v6"), cidr=cidr6, ip_version=6, ipv6_address_mode=mode))
        addresses.append(f"{prefix}2/64")
    made = Network(
        id=identity(name),
        project_id="p",
        mtu=1450,
        subnets=tuple(subnets),
        dns_domain="cloud.example",
        service_port=ServicePort(
            id=identity(f"{name}-svc"),
            mac_address=f"fa:16:3e:ff:00:{vni % 256:02x}",
            addresses=tuple(addresses),
        ),
        **fields,
    )
    return made, Segment(id=made.id, network_type="vxlan", segmentation_id=vni)


def port(name, of, number, *groups, **fields):
    """A port with the address that ends in ``number`` in every subnet."""
    ips = []
    for subnet in of.subnets:
        head = (
            subnet.cidr.rsplit(".", 1)[0] + "." if subnet.ip_version == 4 else subnet.cidr.partition("/")[0]
        )
        ips.append(FixedIp(ip_address=f"{head}{number}", subnet_id=subnet.id))
    fields.setdefault("mac_address", f"fa:16:3e:{hash_byte(of.id):02x}:00:{number:02x}")
    return Port(
        id=identity(f"port-{name}"),
        network_id=of.id,
        project_id="p",
        device_id=identity(f"server-{name}"),
        device_owner="compute:nova",
        fixed_ips=tuple(ips),
        security_group_ids=tuple(group.id for group in groups),
        hostname=name,
        **fields,
    )


def pair(address, mac=""):
    """A further source of a port; without a MAC it is the port's."""
    return AddressPair(ip_address=address, mac_address=mac)


def hash_byte(text):
    """One byte of an id."""
    return int(text[:2], 16)


def rule(direction="ingress", **fields):
    """A rule."""
    fields.setdefault("ethertype", "IPv4")
    return Rule(id=str(uuid.uuid4()), direction=direction, **fields)


def out_all():
    """The rules that let everything out."""
    return rule("egress"), rule("egress", ethertype="IPv6")


def group(name, *rules, members=(), **fields):
    """A security group of the given ports."""
    told = tuple(Member(port_id=p.id, ip_addresses=tuple(f.ip_address for f in p.fixed_ips)) for p in members)
    return SecurityGroup(id=identity(f"group-{name}"), rules=tuple(rules), members=told, **fields)


def instance(name, *ports, **fields):
    """What the server of some ports is told."""
    return InstanceData(
        id=identity(f"server-{name}"),
        name=name,
        hostname=name,
        project_id="p",
        availability_zone="nova",
        instance_type="tiny",
        nics=tuple(InstanceNic(port_id=p.id, mac_address=p.mac_address, mtu=1450) for p in ports),
        **fields,
    )
