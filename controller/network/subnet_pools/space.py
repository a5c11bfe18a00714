"""Arithmetic of what is left of a pool: pure. Space is a list of ranges, in order and apart."""

import ipaddress
from collections.abc import Iterable, Sequence

from controller.network.addresses import Prefix, Range

#: Of each IP version the length of the prefix that a quota counts.
QUOTA_LENGTH = {4: 32, 6: 64}


def ranges(prefixes: Iterable[Prefix]) -> list[Range]:
    """The addresses of prefixes."""
    return merged((int(p.network_address), int(p.broadcast_address)) for p in prefixes)


def merged(given: Iterable[Range]) -> list[Range]:
    """The same space with no range that touches another."""
    found: list[Range] = []
    for first, last in sorted(given):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def without(space: Sequence[Range], taken: Sequence[Range]) -> list[Range]:
    """What of the space is left when ``taken`` goes."""
    left = list(space)
    for low, high in taken:
        left = [piece for whole in left for piece in _cut(whole, low, high)]
    return left


def has(space: Iterable[Range], wanted: Prefix) -> bool:
    """Whether the whole prefix is in the space."""
    first, last = int(wanted.network_address), int(wanted.broadcast_address)
    return any(low <= first and last <= high for low, high in space)


def meet(one: Sequence[Range], other: Sequence[Range]) -> bool:
    """Whether an address is in both."""
    return any(a <= d and c <= b for a, b in one for c, d in other)


def first_free(space: Iterable[Range], version: int, length: int) -> Prefix | None:
    """A prefix of the length from the smallest block that has one: large blocks stay whole for others."""
    blocks = [block for piece in space for block in _blocks(piece, version)]
    able = [block for block in blocks if block.prefixlen <= length]
    best = min(able, key=lambda block: (-block.prefixlen, int(block.network_address)), default=None)
    return None if best is None else ipaddress.ip_network(f"{best.network_address}/{length}")


def as_prefixes(space: Iterable[Range], version: int) -> list[Prefix]:
    """The space as few prefixes."""
    return [block for piece in space for block in _blocks(piece, version)]


def in_quota(prefixes: Iterable[Prefix], version: int) -> float:
    """How much prefixes count in a pool's quota."""
    return sum(2.0 ** (QUOTA_LENGTH[version] - prefix.prefixlen) for prefix in prefixes)


def _cut(whole: Range, low: int, high: int) -> Iterable[Range]:
    first, last = whole
    if high < first or low > last:
        return [whole]
    return [piece for piece in ((first, low - 1), (high + 1, last)) if piece[0] <= piece[1]]


def _blocks(piece: Range, version: int) -> Iterable[Prefix]:
    kind = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    found: Iterable[Prefix] = ipaddress.summarize_address_range(kind(piece[0]), kind(piece[1]))
    return found
