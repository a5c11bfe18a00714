"""Router → limits of bandwidth for its outer IPv4 addresses: two chains beside address translation (decision 13).

What comes in is counted before it is translated, what goes out after: both times under the outer address.
"""

import ipaddress
from collections.abc import Iterable

import msgspec

from contract.qos import Limit
from contract.router import Router
from ovs_agent.namespaces.router import link_name

_BYTES_OF_KILOBIT = 125
#: 32 bits hold nft's burst.
_MOST_BURST = (1 << 32) - 1


class AddressLimit(msgspec.Struct, frozen=True, order=True):
    """So many bytes a second, and ``burst`` beyond, at one link for one outer address."""

    link: str
    address: str
    direction: str
    rate: int
    burst: int


def compile_limits(router: Router) -> tuple[AddressLimit, ...]:
    """Of the gateway's own addresses and of the floating IPs. Raises ValueError for addresses that are none."""
    found: list[AddressLimit] = []
    for leg in router.gateways:
        link = link_name(leg)
        for text in leg.addresses:
            if (ip := ipaddress.ip_interface(text).ip).version == 4:
                found += _limits(link, str(ip), leg.limits)
        for each in router.floating_ip_limits:
            found += _limits(link, str(ipaddress.IPv4Address(each.address)), each.limits)
    return tuple(sorted(found))


def arriving(limits: Iterable[AddressLimit]) -> Iterable[str]:
    """Rules of what comes in, for a chain before translation."""
    for limit in limits:
        if limit.direction == "ingress":
            yield f'iifname "{limit.link}" ip daddr {limit.address} {_over(limit)}'


def leaving(limits: Iterable[AddressLimit]) -> Iterable[str]:
    """Rules of what goes out, for a chain after translation."""
    for limit in limits:
        if limit.direction == "egress":
            yield f'oifname "{limit.link}" ip saddr {limit.address} {_over(limit)}'


def _limits(link: str, address: str, told: Iterable[Limit]) -> Iterable[AddressLimit]:
    for limit in told:
        rate, burst = limit.rate * _BYTES_OF_KILOBIT, min(limit.burst * _BYTES_OF_KILOBIT, _MOST_BURST)
        yield AddressLimit(link, address, limit.direction, rate, burst)


def _over(limit: AddressLimit) -> str:
    return f"limit rate over {limit.rate} bytes/second burst {limit.burst} bytes drop"
