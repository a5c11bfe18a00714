"""Checks of MAC and IP addresses before they become part of a flow, and what follows from them."""

import ipaddress
import re

import msgspec

from contract.port import Port

_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


class Source(msgspec.Struct, frozen=True, order=True):
    """A MAC and an address or prefix that a port may send from."""

    mac: str
    version: int
    prefix: str


def mac(text: str) -> str:
    """The MAC in lower case. Raises ValueError for anything else."""
    if not _MAC.fullmatch(lowered := text.lower()):
        raise ValueError(f"{text!r} is not a MAC address")
    return lowered


def network(text: str) -> Network:
    """The prefix that ``text`` lies in, host bits cleared. Raises ValueError."""
    if "%" in text:
        raise ValueError(f"{text!r} has a zone")
    return ipaddress.ip_network(text, strict=False)


def prefix(net: Network) -> str:
    """The shortest text that ovs-ofctl takes: a single address goes without its length."""
    return str(net.network_address) if net.prefixlen == net.max_prefixlen else str(net)


def link_local(mac_address: str) -> str:
    """The EUI-64 link-local address of a MAC."""
    octets = [int(part, 16) for part in mac(mac_address).split(":")]
    octets[0] ^= 2
    interface = bytes([*octets[:3], 0xFF, 0xFE, *octets[3:]])
    return str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + interface))


def own(port: Port) -> tuple[Source, ...]:
    """The port's own addresses, with the link-local one: what the services of its network believe."""
    hardware = mac(port.mac_address)
    nets = [network(fixed.ip_address) for fixed in port.fixed_ips]
    sources = {Source(hardware, net.version, prefix(net)) for net in nets}
    return tuple(sorted(sources | {Source(hardware, 6, link_local(hardware))}))


def permitted(port: Port) -> tuple[Source, ...]:
    """Every source that the port may send from: its own and its allowed address pairs."""
    sources = set(own(port))
    for pair in port.allowed_address_pairs:
        hardware, net = mac(pair.mac_address or port.mac_address), network(pair.ip_address)
        sources.add(Source(hardware, net.version, prefix(net)))
        sources.add(Source(hardware, 6, link_local(hardware)))
    return tuple(sorted(sources))
