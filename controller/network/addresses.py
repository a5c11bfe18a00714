"""Arithmetic of addresses: pure, no database. Addresses are kept in rows by their ``position``."""

import ipaddress
from collections.abc import Callable, Iterable

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network
#: First and last address of a pool, both in it.
Range = tuple[int, int]


def position(number: int) -> str:
    """An address as text of one length: sorts as the numbers do, for IPv6 too."""
    return f"{number:032x}"


def address(number: int, version: int) -> str:
    """The usual text of an address."""
    return str(ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number))


def usable(prefix: Prefix) -> Range:
    """First and last address that a port may have."""
    first, last = int(prefix.network_address), int(prefix.broadcast_address)
    if prefix.version == 4:
        return (first + 1, last - 1) if prefix.prefixlen <= 30 else (first, last)
    return (first + 1, last) if prefix.prefixlen <= 126 else (first, last)


def default_gateway(prefix: Prefix) -> str:
    """The first usable address."""
    return address(usable(prefix)[0], prefix.version)


def default_pools(prefix: Prefix, gateway: Ip | None) -> list[Range]:
    """All usable addresses but the gateway's."""
    first, last = usable(prefix)
    if gateway is None or not first <= int(gateway) <= last:
        return [(first, last)]
    halves = [(first, int(gateway) - 1), (int(gateway) + 1, last)]
    return [half for half in halves if half[0] <= half[1]]


def eui64(prefix: Prefix, mac_address: str) -> str:
    """The address that a guest with this MAC gives itself in an IPv6 prefix of 64 bits."""
    octets = bytes.fromhex(mac_address.replace(":", ""))
    interface = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return address(int(prefix.network_address) | int.from_bytes(interface, "big"), 6)


def size(ranges: Iterable[Range]) -> int:
    """How many addresses are in pools."""
    return sum(last - first + 1 for first, last in ranges)


def first_free(count: Callable[[int, int], int], first: int, last: int) -> int | None:
    """The smallest number in [first, last] that is not taken; ``count`` says how many are in a range.

    Looks at growing spans, then halves the one with a gap: a few counts, whatever the size of the pool.
    """
    if first > last:
        return None
    span = 1
    while count(first, min(first + span - 1, last)) == min(span, last - first + 1):
        if first + span - 1 >= last:
            return None
        first, span = first + span, span * 8
    low, high = first, min(first + span - 1, last)
    while low < high:
        middle = (low + high) // 2
        if count(low, middle) < middle - low + 1:
            high = middle
        else:
            low = middle + 1
    return low


def ranges_after(pools: Iterable[Range], cursor: int) -> list[Range]:
    """The pools from ``cursor`` on, then what is before it: the order in which addresses are given."""
    ordered = sorted(pools)
    after = [(max(first, cursor), last) for first, last in ordered if last >= cursor]
    before = [(first, min(last, cursor - 1)) for first, last in ordered if first < cursor]
    return after + before
