"""Protocols of security group rules as matches: names, numbers, port ranges.

Names are those of the Networking API (security group rule, attribute ``protocol``).
"""

from contract.security_group import PROTOCOLS

_ICMP, _ICMPV6 = 1, 58
#: Protocols whose ports OpenFlow can match.
_WITH_PORTS = {6: "tcp", 17: "udp", 132: "sctp"}
_LAST_PORT = 0xFFFF


def matches(ethertype: str, protocol: str | None, low: int | None, high: int | None) -> list[str]:
    """The matches that together cover a rule's protocol and ports; ``low``/``high`` are type and code
    for ICMP. Raises ValueError for what OpenFlow cannot express."""
    family = {"IPv4": "ip", "IPv6": "ipv6"}[ethertype]
    if protocol is None or protocol.lower() == "any":
        _refuse_ports(protocol, low, high)
        return [family]
    number = _number(protocol)
    if ethertype == "IPv6" and number == _ICMP:
        number = _ICMPV6
    if number in (_ICMP, _ICMPV6):
        return [_icmp(family, number, low, high)]
    if number in _WITH_PORTS:
        name = _WITH_PORTS[number] + ("6" if family == "ipv6" else "")
        return [name + ports for ports in _port_matches(low, high)]
    _refuse_ports(protocol, low, high)
    return [f"{family},nw_proto={number}"]


def port_masks(low: int, high: int) -> list[tuple[int, int]]:
    """The fewest (value, mask) pairs that cover the ports from ``low`` to ``high``."""
    if not 0 <= low <= high <= _LAST_PORT:
        raise ValueError(f"ports {low} to {high} are no range")
    masks = []
    while low <= high:
        size = low & -low or _LAST_PORT + 1
        while low + size - 1 > high:
            size >>= 1
        masks.append((low, _LAST_PORT + 1 - size))
        low += size
    return masks


def _number(protocol: str) -> int:
    number = (
        int(protocol) if protocol.isascii() and protocol.isdigit() else PROTOCOLS.get(protocol.lower(), -1)
    )
    if not 0 <= number <= 255:
        raise ValueError(f"{protocol!r} is not a protocol")
    return number


def _port_matches(low: int | None, high: int | None) -> list[str]:
    if low is None and high is None:
        return [""]
    first, last = low if low is not None else high, high if high is not None else low
    assert first is not None and last is not None
    if (first, last) == (0, _LAST_PORT):
        return [""]
    return [f",tp_dst={value:#x}/{mask:#x}" for value, mask in port_masks(first, last)]


def _icmp(family: str, number: int, icmp_type: int | None, code: int | None) -> str:
    for value in (icmp_type, code):
        if value is not None and not 0 <= value <= 255:
            raise ValueError(f"{value} is no ICMP type or code")
    if code is not None and icmp_type is None:
        raise ValueError("an ICMP code needs a type")
    name = "icmp6" if number == _ICMPV6 else "icmp"
    if (family == "ip") != (name == "icmp"):
        _refuse_ports("ICMPv6 in IPv4", icmp_type, code)
        return f"{family},nw_proto={number}"
    text = name if icmp_type is None else f"{name},icmp_type={icmp_type}"
    return text if code is None else f"{text},icmp_code={code}"


def _refuse_ports(protocol: str | None, low: int | None, high: int | None) -> None:
    if low is not None or high is not None:
        raise ValueError(f"protocol {protocol or 'any'} has no ports that the switch can match")
