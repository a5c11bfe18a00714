"""What is left of a pool, against the plain sets of addresses."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from controller.network.addresses import Prefix
from controller.network.subnet_pools import space


def _prefix(number: int, length: int) -> Prefix:
    return ipaddress.ip_network((number, length), strict=False)


#: In a world of 256 addresses, so that prefixes meet often.
PREFIXES = st.lists(st.builds(_prefix, st.integers(0x0A000000, 0x0A0000FF), st.integers(24, 32)), max_size=6)


def _all(found: list[tuple[int, int]]) -> set[int]:
    return {number for first, last in found for number in range(first, last + 1)}


def _addresses(prefixes: list[Prefix]) -> set[int]:
    return {int(address) for prefix in prefixes for address in prefix}


@given(PREFIXES, PREFIXES)
def test_sets_of_addresses(one: list[Prefix], other: list[Prefix]) -> None:
    left = space.without(space.ranges(one), space.ranges(other))
    assert _all(left) == _addresses(one) - _addresses(other)
    assert _addresses(space.as_prefixes(left, 4)) == _all(left)
    assert space.meet(space.ranges(one), space.ranges(other)) == bool(_addresses(one) & _addresses(other))
    assert all(space.has(left, prefix) == (_addresses([prefix]) <= _all(left)) for prefix in one)


@given(PREFIXES, PREFIXES, st.integers(24, 32))
def test_a_prefix_is_found_if_there_is_one(one: list[Prefix], other: list[Prefix], length: int) -> None:
    left = space.without(space.ranges(one), space.ranges(other))
    able = [p for p in ipaddress.ip_network("10.0.0.0/24").subnets(new_prefix=length) if space.has(left, p)]
    found = space.first_free(left, 4, length)
    assert (found is None) == (not able) and (found is None or found in able)


def test_large_blocks_stay_whole() -> None:
    left = space.ranges([ipaddress.ip_network(text) for text in ("10.0.0.0/22", "10.9.0.0/25")])
    assert str(space.first_free(left, 4, 26)) == "10.9.0.0/26"
    assert str(space.first_free(left, 4, 24)) == "10.0.0.0/24"
