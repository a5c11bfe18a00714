"""Whether the values of a subnet pool go together: pure, for create and update alike. All raise BadRequest
with neutron's type of error."""

import ipaddress
from collections.abc import Sequence

from controller.network import refusals
from controller.network.addresses import Prefix
from controller.network.subnet_pools import space

#: Of each IP version the shortest prefix that is given when the pool does not say.
_SHORTEST = {4: 8, 6: 64}
_BITS = {4: 32, 6: 128}


def prefixes(given: Sequence[str]) -> list[Prefix]:
    """Prefixes of one version in their usual writing, in order; what is within another is left out."""
    found = [_prefix(text) for text in given]
    if not found:
        raise refusals.invalid("Empty subnet pool prefix list.", "EmptySubnetPoolPrefixList")
    if len({prefix.version for prefix in found}) > 1:
        raise refusals.invalid("Cannot mix IPv4 and IPv6 prefixes in a subnet pool.", "PrefixVersionMismatch")
    return space.as_prefixes(space.ranges(found), found[0].version)


def lengths(version: int, given: dict[str, int]) -> dict[str, int]:
    """The three lengths of prefixes: the least, the most, and the usual one."""
    least = given.get("min_prefixlen", _SHORTEST[version])
    most = given.get("max_prefixlen", _BITS[version])
    usual = given.get("default_prefixlen", least)
    for name, value, other_name, other, is_good in (
        ("min_prefixlen", least, "max_prefixlen", most, least <= most),
        ("max_prefixlen", most, "ip_version_max", _BITS[version], most <= _BITS[version]),
        ("default_prefixlen", usual, "min_prefixlen", least, usual >= least),
        ("default_prefixlen", usual, "max_prefixlen", most, usual <= most),
    ):
        if not is_good:
            raise refusals.invalid(
                f"Illegal prefix bounds: {name}={value}, {other_name}={other}.",
                "IllegalSubnetPoolPrefixBounds",
            )
    return {"min_prefixlen": least, "max_prefixlen": most, "default_prefixlen": usual}


def _prefix(text: str) -> Prefix:
    try:
        found = ipaddress.ip_network(text.strip())
    except ValueError:
        raise refusals.malformed(
            f"Invalid input for prefixes. Reason: '{text}' isn't a recognized IP subnet cidr."
        ) from None
    if found.version == 6 and "%" in text:
        raise refusals.malformed("Invalid input for prefixes. Reason: a prefix has no zone.")
    return found
