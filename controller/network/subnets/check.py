"""Whether the values of a subnet go together: pure, for create and update alike. All raise BadRequest or
Conflict with neutron's type of error."""

import ipaddress
import itertools
from collections.abc import Sequence

from controller.network import addresses, options, refusals
from controller.network.addresses import Ip, Prefix, Range

#: What the owners of ports begin with.
_OWNERS = ("network:", "neutron:", "compute:", "baremetal:", "manila:")


def prefix(text: str, ip_version: int) -> Prefix:
    """The CIDR of a new subnet."""
    try:
        found = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise refusals.malformed(
            f"Invalid input for cidr. Reason: '{text}' is not a valid IP subnet."
        ) from None
    host = text.partition("/")[0].strip()
    if "/" in text and ipaddress.ip_address(host) != found.network_address:
        raise refusals.malformed(
            f"Invalid input for cidr. Reason: '{text}' isn't a recognized IP subnet cidr, "
            f"'{found}' is recommended."
        )
    if found.version != ip_version:
        raise refusals.invalid(f"cidr '{text}' does not match the ip_version '{ip_version}'")
    if found.prefixlen == 0:
        raise refusals.invalid("0 is not allowed as CIDR prefix length")
    if found.version == 6 and int(found.network_address) == 0:
        raise refusals.invalid("IPv6 subnet '::' is not supported")
    return found


def ip(text: str, ip_version: int, what: str) -> Ip:
    """An address of the subnet's version."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        raise refusals.malformed(f"Invalid input for {what}. '{text}' is not a valid IP address.") from None
    if found.version != ip_version or getattr(found, "scope_id", None):
        raise refusals.invalid(f"{what} '{text}' does not match the ip_version '{ip_version}'")
    return found


def dhcp(cidr: Prefix) -> None:
    """Whether DHCP can serve the prefix."""
    if cidr.prefixlen > (30 if cidr.version == 4 else 126):
        raise refusals.invalid("Subnet has a prefix length that is incompatible with DHCP service enabled")
    if cidr.is_multicast:
        raise refusals.invalid("Multicast IP subnet is not supported if enable_dhcp is True")
    if cidr.is_loopback:
        raise refusals.invalid("Loopback IP subnet is not supported if enable_dhcp is True")
    if cidr.version == 4 and int(cidr.network_address) == 0:
        raise refusals.invalid("First IP '0.0.0.0' of network is not supported if enable_dhcp is True.")


def gateway(text: str, cidr: Prefix) -> Ip:
    """A gateway may be outside of the prefix, but not its network or broadcast address."""
    found = ip(text, cidr.version, "gateway_ip")
    first, last = addresses.usable(cidr)
    if found in cidr and not first <= int(found) <= last and cidr.prefixlen < cidr.max_prefixlen:
        raise refusals.invalid("Gateway is not valid on subnet")
    return found


def pools(given: Sequence[dict[str, str]], cidr: Prefix, gateway_ip: Ip | None) -> list[Range]:
    """Allocation pools: inside of the prefix, apart from each other and from the gateway."""
    first, last = addresses.usable(cidr)
    found: list[Range] = []
    for pool in given:
        start, end = (ip(pool[name], cidr.version, "allocation_pools") for name in ("start", "end"))
        text = f"{start}-{end}"
        if int(start) > int(end):
            raise refusals.invalid(f"The allocation pool {text} is not valid.", "InvalidAllocationPool")
        if int(start) < first or int(end) > last:
            raise refusals.invalid(
                f"The allocation pool {text} spans beyond the subnet cidr {cidr}.",
                "OutOfBoundsAllocationPool",
            )
        if gateway_ip is not None and int(start) <= int(gateway_ip) <= int(end):
            raise refusals.in_use(
                f"Gateway ip {gateway_ip} conflicts with allocation pool {text}.",
                "GatewayConflictWithAllocationPools",
            )
        found.append((int(start), int(end)))
    found.sort()
    for before, after in itertools.pairwise(found):
        if after[0] <= before[1]:
            raise refusals.in_use(
                f"Found overlapping allocation pools for subnet {cidr}.", "OverlappingAllocationPools"
            )
    return found


def service_types(given: Sequence[str]) -> list[str]:
    """Owners of ports, each once."""
    for text in given:
        if not text.startswith(_OWNERS):
            raise refusals.invalid(
                f"Subnet service type {text} does not correspond to a valid device owner.",
                "InvalidSubnetServiceType",
            )
    return list(dict.fromkeys(given))


def dns_nameservers(given: Sequence[str], ip_version: int) -> list[str]:
    """Name servers: addresses of the subnet's version, each once, in their usual writing."""
    if len(given) > options.settings().max_dns_nameservers:
        raise refusals.invalid(
            "Unable to complete operation: too many DNS nameservers.", "DNSNameServersExhausted"
        )
    found = [str(ip(text, ip_version, "dns_nameservers")) for text in given]
    if len(set(found)) != len(found):
        raise refusals.malformed("Invalid input for dns_nameservers: a nameserver is given twice.")
    return found


def host_routes(given: Sequence[dict[str, str]], ip_version: int) -> list[dict[str, str]]:
    """Routes told to guests, in their usual writing."""
    found = []
    if len(given) > options.settings().max_host_routes:
        raise refusals.invalid("Unable to complete operation: too many host routes.", "HostRoutesExhausted")
    for route in given:
        try:
            destination = ipaddress.ip_network(route["destination"])
        except ValueError:
            raise refusals.malformed(f"Invalid input for host_routes: '{route['destination']}'.") from None
        if destination.version != ip_version:
            raise refusals.invalid(
                f"host_routes '{destination}' does not match the ip_version '{ip_version}'"
            )
        nexthop = ip(route["nexthop"], ip_version, "host_routes")
        found.append({"destination": str(destination), "nexthop": str(nexthop)})
    return found


def ipv6_modes(cidr: Prefix, is_dhcp: bool, ra_mode: str | None, address_mode: str | None) -> None:
    """Which modes go together."""
    if cidr.version == 4:
        for name, mode in (("ipv6_ra_mode", ra_mode), ("ipv6_address_mode", address_mode)):
            if mode is not None:
                raise refusals.invalid(f"{name} is not valid when ip_version is 4")
        return
    if not is_dhcp and (ra_mode or address_mode):
        raise refusals.invalid(
            "ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False"
        )
    if ra_mode and address_mode and ra_mode != address_mode:
        raise refusals.invalid(
            f"ipv6_ra_mode set to '{ra_mode}' with ipv6_address_mode set to '{address_mode}' is not valid. "
            "If both attributes are set, they must be the same value"
        )
    for mode in (ra_mode, address_mode):
        if mode in ("slaac", "dhcpv6-stateless") and cidr.prefixlen != 64:
            raise refusals.invalid(f"Invalid CIDR {cidr} for IPv6 address mode {mode}: it must be a /64.")
