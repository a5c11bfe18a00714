"""Arithmetic of addresses."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.network import addresses


@given(st.sets(st.integers(0, 80)), st.integers(0, 80), st.integers(0, 80))
def test_first_free_is_the_smallest_that_is_not_taken(taken: set[int], first: int, last: int) -> None:
    def count(low: int, high: int) -> int:
        return sum(low <= number <= high for number in taken)

    expected = next((n for n in range(first, last + 1) if n not in taken), None)
    assert addresses.first_free(count, first, last) == expected


def test_a_big_pool_costs_few_counts() -> None:
    taken, counts = 60_000, 0

    def count(low: int, high: int) -> int:
        nonlocal counts
        counts += 1
        return max(0, min(high, taken) - low + 1)

    assert addresses.first_free(count, 1, 1 << 64) == taken + 1
    assert counts < 40


def test_addresses_are_given_from_the_cursor_on_and_round() -> None:
    pools = [(20, 29), (1, 9)]
    assert addresses.ranges_after(pools, 0) == [(1, 9), (20, 29)]
    assert addresses.ranges_after(pools, 25) == [(25, 29), (1, 9), (20, 24)]
    assert addresses.ranges_after(pools, 30) == [(1, 9), (20, 29)]
    assert addresses.ranges_after(pools, 15) == [(20, 29), (1, 9)]


@pytest.mark.parametrize(
    ("cidr", "first", "last"),
    [
        ("10.0.0.0/24", "10.0.0.1", "10.0.0.254"),
        ("10.0.0.0/31", "10.0.0.0", "10.0.0.1"),
        ("10.0.0.7/32", "10.0.0.7", "10.0.0.7"),
        ("fd00::/64", "fd00::1", "fd00::ffff:ffff:ffff:ffff"),
        ("fd00::/127", "fd00::", "fd00::1"),
    ],
)
def test_usable(cidr: str, first: str, last: str) -> None:
    found = addresses.usable(ipaddress.ip_network(cidr))
    assert found == (int(ipaddress.ip_address(first)), int(ipaddress.ip_address(last)))


def test_default_pools_leave_the_gateway_out() -> None:
    prefix = ipaddress.ip_network("10.0.0.0/29")
    start = int(prefix.network_address)
    gateway = ipaddress.ip_address("10.0.0.3")
    assert addresses.default_pools(prefix, gateway) == [(start + 1, start + 2), (start + 4, start + 6)]
    assert addresses.default_pools(prefix, None) == [(start + 1, start + 6)]
    assert addresses.default_pools(prefix, ipaddress.ip_address("10.9.9.9")) == [(start + 1, start + 6)]
    single = ipaddress.ip_network("10.0.0.0/32")
    assert addresses.default_pools(single, ipaddress.ip_address("10.0.0.0")) == []


def test_eui64_is_what_guests_make() -> None:
    prefix = ipaddress.ip_network("2001:db8::/64")
    assert addresses.eui64(prefix, "fa:16:3e:12:34:56") == "2001:db8::f816:3eff:fe12:3456"


@given(st.integers(0, (1 << 128) - 1), st.integers(0, (1 << 128) - 1))
def test_positions_sort_as_numbers(one: int, other: int) -> None:
    assert (addresses.position(one) < addresses.position(other)) == (one < other)
    assert len(addresses.position(one)) == 32
