"""Rules become matches that cover exactly what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.security_group import PROTOCOLS
from ovs_agent.flows import protocols


@given(st.integers(0, 65535), st.integers(0, 65535))
def test_masks_cover_exactly_the_range(one: int, two: int) -> None:
    low, high = min(one, two), max(one, two)
    masks = protocols.port_masks(low, high)
    assert sum(0x10000 - mask for _, mask in masks) == high - low + 1
    assert all(value & mask == value for value, mask in masks)
    for port in (low, high, (low + high) // 2):
        assert sum(port & mask == value for value, mask in masks) == 1
    for port in {low - 1, high + 1} - {-1, 65536}:
        assert not any(port & mask == value for value, mask in masks)


def test_the_whole_range_needs_no_mask() -> None:
    assert protocols.matches("IPv4", "tcp", 0, 65535) == ["tcp"]
    assert protocols.matches("IPv6", "udp", None, None) == ["udp6"]


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_every_name_of_the_api_compiles_in_both_families(name: str) -> None:
    for family in ("IPv4", "IPv6"):
        assert protocols.matches(family, name, None, None)


@pytest.mark.parametrize("number", ["0", "2", "41", "255"])
def test_numbers(number: str) -> None:
    assert protocols.matches("IPv4", number, None, None) == [f"ip,nw_proto={number}"]


def test_icmp_has_type_and_code() -> None:
    assert protocols.matches("IPv4", "icmp", 8, 0) == ["icmp,icmp_type=8,icmp_code=0"]
    assert protocols.matches("IPv6", "icmp", 128, None) == ["icmp6,icmp_type=128"]
    assert protocols.matches("IPv6", "58", 128, 0) == ["icmp6,icmp_type=128,icmp_code=0"]


@pytest.mark.parametrize(
    ("protocol", "low", "high"),
    [
        ("tcp", 9, 1),
        ("tcp", 0, 70000),
        ("256", None, None),
        ("-1", None, None),
        ("²", None, None),
        ("nonsense", None, None),
        ("x,actions=normal", None, None),
        ("dccp", 1, 2),
        (None, 1, 2),
        ("icmp", None, 3),
        ("icmp", 256, None),
    ],
)
def test_what_cannot_be_matched_is_refused(protocol: str | None, low: int | None, high: int | None) -> None:
    with pytest.raises(ValueError, match=r".+"):
        protocols.matches("IPv4", protocol, low, high)
