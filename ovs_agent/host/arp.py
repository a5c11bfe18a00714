"""Gratuitous ARP: tells a network that an address is here now, so that nobody sends to where it was."""

import ipaddress
import socket
import struct
from collections.abc import Iterable

from ovs_agent.host import netns

_ETHERTYPE = 0x0806
_BROADCAST = b"\xff" * 6


def announce(namespace: str, addresses: Iterable[tuple[str, str, str]]) -> None:
    """Sends a request and an answer, as neighbours heed one or the other, for each (link, MAC, IPv4 address)."""
    told = tuple(addresses)

    def work() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETHERTYPE)) as sock:
            for link, mac, address in told:
                for operation in (1, 2):
                    sock.sendto(_frame(mac, address, operation), (link, _ETHERTYPE))

    netns.inside(namespace, work)


def _frame(mac: str, address: str, operation: int) -> bytes:
    hardware, protocol = bytes.fromhex(mac.replace(":", "")), ipaddress.IPv4Address(address).packed
    target = hardware if operation == 2 else bytes(6)
    head = _BROADCAST + hardware + struct.pack(">H", _ETHERTYPE)
    body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation)
    return head + body + hardware + protocol + target + protocol
