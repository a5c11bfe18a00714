"""Tells a network that an address is here now, so that nobody sends to where it was: gratuitous ARP for IPv4,
unsolicited neighbour advertisements for IPv6."""

import ipaddress
import socket
import struct
from collections.abc import Iterable

from ovs_agent.host import netns

_ARP, _IPV6 = 0x0806, 0x86DD
_BROADCAST = b"\xff" * 6
_ALL_NODES, _ALL_NODES_MAC = ipaddress.IPv6Address("ff02::1").packed, bytes.fromhex("333300000001")
_ICMPV6, _NEIGHBOUR_ADVERTISEMENT, _TARGET_LINK_LAYER = 58, 136, 2
#: It is a router, and whoever knows another MAC for the address is to forget that one.
_ROUTER_AND_OVERRIDE = 0xA0000000


def announce(namespace: str, addresses: Iterable[tuple[str, str, str]]) -> None:
    """Tells of each (link, MAC, address)."""
    told = [(link, frame) for link, mac, address in addresses for frame in frames(mac, address)]

    def work() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
            for link, frame in told:
                sock.sendto(frame, (link, int.from_bytes(frame[12:14], "big")))

    netns.inside(namespace, work)


def frames(mac: str, address: str) -> list[bytes]:
    """What tells that an address is at a MAC. Of ARP a request and an answer: neighbours heed one or the other."""
    ip, hardware = ipaddress.ip_address(address), bytes.fromhex(mac.replace(":", ""))
    if isinstance(ip, ipaddress.IPv4Address):
        return [_arp(hardware, ip, operation) for operation in (1, 2)]
    return [_advertisement(hardware, ip)]


def _arp(hardware: bytes, ip: ipaddress.IPv4Address, operation: int) -> bytes:
    target = hardware if operation == 2 else bytes(6)
    head = _BROADCAST + hardware + struct.pack(">H", _ARP)
    body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation)
    return head + body + hardware + ip.packed + target + ip.packed


def _advertisement(hardware: bytes, ip: ipaddress.IPv6Address) -> bytes:
    told = struct.pack(">L", _ROUTER_AND_OVERRIDE) + ip.packed
    told += struct.pack(">BB", _TARGET_LINK_LAYER, 1) + hardware
    pseudo = ip.packed + _ALL_NODES + struct.pack(">LxxxB", len(told) + 4, _ICMPV6)
    checksum = _checksum(pseudo + struct.pack(">BBH", _NEIGHBOUR_ADVERTISEMENT, 0, 0) + told)
    message = struct.pack(">BBH", _NEIGHBOUR_ADVERTISEMENT, 0, checksum) + told
    header = struct.pack(">LHBB", 6 << 28, len(message), _ICMPV6, 255) + ip.packed + _ALL_NODES
    return _ALL_NODES_MAC + hardware + struct.pack(">H", _IPV6) + header + message


def _checksum(data: bytes) -> int:
    """Of the internet protocols (RFC 1071); the length is even here."""
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
