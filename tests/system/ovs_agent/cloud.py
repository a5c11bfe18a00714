"""Documents for tests: small networks, ports and groups with ids that are easy to read."""

import uuid

import msgspec

from contract.address_group import AddressGroup
from contract.instance_data import InstanceData, InstanceNic
from contract.network import Network, ServicePort, Subnet
from contract.port import AddressPair, FixedIp, Port
from contract.router import FloatingIp, PortForwarding
from contract.security_group import Member, Rule, SecurityGroup
from contract.segment import Segment
from ovs_agent.flows import addresses


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
    own = [f"{base}.2/24"]
    if cidr6:
        prefix = cidr6.partition("/")[0]
        mode = "dhcpv6-stateful"
        subnets.append(Subnet(id=identity(f"{name}-v6"), cidr=cidr6, ip_version=6, ipv6_address_mode=mode))
        own.append(f"{prefix}2/64")
    made = Network(
        id=identity(name),
        project_id="p",
        mtu=1450,
        subnets=tuple(subnets),
        dns_domain="cloud.example",
        service_port=ServicePort(
            id=identity(f"{name}-svc"),
            mac_address=f"fa:16:3e:ff:00:{vni % 256:02x}",
            addresses=tuple(own),
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


def provider(name, cidr, vlan=None):
    """A network on the physical network ``public``, without services, and its segment."""
    subnet = Subnet(id=identity(f"{name}-v4"), cidr=cidr, ip_version=4, is_dhcp=False)
    made = Network(id=identity(name), project_id="p", mtu=1500, subnets=(subnet,))
    kind = "flat" if vlan is None else "vlan"
    segment = Segment(id=made.id, network_type=kind, segmentation_id=vlan, physical_network="public")
    return made, segment


def router_port(router, of, number, owner="network:router_interface"):
    """A port of a router, with the address that ends in ``number``."""
    name = f"{router}-{of.id[:8]}-{number}"
    made = port(name, of, number, mac_address=f"fa:16:3e:{hash_byte(of.id):02x}:aa:{number:02x}")
    fields = {"device_id": identity(f"router-{router}"), "device_owner": owner, "is_port_security": False}
    return msgspec.structs.replace(made, hostname="", **fields)


def leg(kind, of, its_port, **fields):
    """A port of a router as its document has it: an interface or a gateway."""
    lengths = {subnet.id: subnet.cidr.partition("/")[2] for subnet in of.subnets}
    told = tuple(f"{fixed.ip_address}/{lengths[fixed.subnet_id]}" for fixed in its_port.fixed_ips)
    return kind(
        port_id=its_port.id,
        network_id=of.id,
        mac_address=its_port.mac_address,
        mtu=of.mtu,
        addresses=told,
        **fields,
    )


def floating(outer, inner):
    """A floating IP."""
    return FloatingIp(id=identity(f"floating-{outer}"), floating_ip_address=outer, fixed_ip_address=inner)


def forwarding(protocol, outer, outer_port, inner, inner_port):
    """A port forwarding."""
    return PortForwarding(
        id=identity(f"{outer}-{protocol}-{outer_port}"),
        protocol=protocol,
        floating_ip_address=outer,
        external_port=outer_port,
        internal_ip_address=inner,
        internal_port=inner_port,
    )


def eui64(prefix, mac):
    """The address that a guest with this MAC gives itself."""
    tail = addresses.link_local(mac).removeprefix("fe80::")
    return f"{prefix}{tail}"


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


def address_group(name, *prefixes):
    """An address group."""
    return AddressGroup(id=identity(f"addresses-{name}"), addresses=prefixes)


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
