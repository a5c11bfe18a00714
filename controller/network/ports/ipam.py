"""Addresses for ports: given in turn, found by a few counts, unique by constraint.

All functions want the subnets locked (``standard.lock``) by the caller's verb.
"""

import ipaddress
import time
from collections.abc import Callable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from controller.network import addresses, refusals
from controller.network.ports.model import (
    GIVEN_ADDRESS_OWNERS,
    ROUTER_OWNERS,
    SERVICE_OWNER,
    Port,
    PortAddress,
)
from controller.network.subnets.model import Subnet

#: What ``fixed_ips`` of a body ask for: any of subnet_id and ip_address.
Wanted = dict[str, str]


def assign(session: Session, port: Port, subnets: Sequence[Subnet], wanted: Sequence[Wanted] | None) -> None:
    """Gives a new port its addresses; an empty ``wanted`` means one of each version, None no given one.

    Raises BadRequest, Conflict.
    """
    if wanted is not None and not wanted:
        _assign_default(session, port, eligible(port, subnets))
    for one in wanted or ():
        give(session, port, subnets, one)
    if port.device_owner not in GIVEN_ADDRESS_OWNERS:
        give_auto_addresses(session, port, subnets)


def eligible(port: Port, subnets: Sequence[Subnet]) -> list[Subnet]:
    """The subnets that are for ports of this owner, those that are for few first. Raises Conflict for none of some."""
    found = [subnet for subnet in subnets if _is_for(subnet, port)]
    if subnets and not found:
        raise refusals.in_use(
            f"No valid service subnet for the given device owner, network {port.network_id}, service type "
            f"'{port.device_owner}'.",
            "IpAddressGenerationFailureNoMatchingSubnet",
        )
    return sorted(found, key=lambda subnet: not subnet.service_types)


def give(session: Session, port: Port, subnets: Sequence[Subnet], wanted: Wanted) -> None:
    """One address as asked for. Raises BadRequest for one that cannot be, Conflict for one that is taken."""
    subnet = _subnet_for(port, eligible(port, subnets), wanted)
    text = wanted.get("ip_address")
    if subnet.is_auto_address and port.device_owner not in ROUTER_OWNERS:
        if text and ipaddress.ip_address(text) != ipaddress.ip_address(_auto(subnet, port)):
            raise refusals.invalid(
                f"IPv6 address {text} can not be directly assigned to a port on subnet {subnet.id} as the "
                "subnet is configured for automatic addresses",
                "AllocationOnAutoAddressSubnet",
            )
        take(session, port, subnet, _auto(subnet, port))
    elif text:
        take(session, port, subnet, text)
    elif not give_next(session, port, subnet):
        raise exhausted(port.network_id)


def give_next(session: Session, port: Port, subnet: Subnet) -> bool:
    """The next free address of the pools; false when there is none."""
    cursor = int(subnet.cursor or "0", 16)
    counted = _counter(session, subnet.id)
    for first, last in addresses.ranges_after(subnet.pools, cursor):
        free = addresses.first_free(counted, first, last)
        if free is not None:
            _add(session, port, subnet, free)
            subnet.cursor = addresses.position(free + 1)
            return True
    return False


def give_auto_addresses(session: Session, port: Port, subnets: Sequence[Subnet]) -> None:
    """The addresses that a guest makes itself, on every subnet that lets it."""
    able = [s for s in subnets if s.is_auto_address and _is_for(s, port)]
    if not able:
        return
    has = set(session.scalars(select(PortAddress.subnet_id).where(PortAddress.port_id == port.id)))
    for subnet in able:
        if subnet.id not in has:
            take(session, port, subnet, _auto(subnet, port))


def take(session: Session, port: Port, subnet: Subnet, text: str) -> None:
    """One address for a port. Raises Conflict when another port has it; none when this port has it."""
    number = int(ipaddress.ip_address(text))
    holder = session.get(PortAddress, (subnet.id, addresses.position(number)))
    if holder is None:
        _add(session, port, subnet, number)
    elif holder.port_id != port.id:
        raise refusals.in_use(
            f"IP address {text} already allocated in subnet {subnet.id}", "IpAddressAlreadyAllocated"
        )


def exhausted(network_id: str) -> Exception:
    """The error when no address is left."""
    return refusals.in_use(
        f"No more IP addresses available on network {network_id}.", "IpAddressGenerationFailure"
    )


def _is_for(subnet: Subnet, port: Port) -> bool:
    """Whether the port may have an address of the subnet; DHCP is answered on all of them."""
    owners = subnet.service_types
    return not owners or port.device_owner in (*owners, SERVICE_OWNER)


def _assign_default(session: Session, port: Port, subnets: Sequence[Subnet]) -> None:
    """A router is given an address where guests make theirs: it is the one that tells them the prefix."""
    is_router = port.device_owner in ROUTER_OWNERS
    for version in (4, 6):
        able = [s for s in subnets if s.ip_version == version and (is_router or not s.is_auto_address)]
        if able and not any(give_next(session, port, subnet) for subnet in able):
            raise exhausted(port.network_id)


def _subnet_for(port: Port, subnets: Sequence[Subnet], wanted: Wanted) -> Subnet:
    subnet_id, text = wanted.get("subnet_id"), wanted.get("ip_address")
    if text is None and subnet_id is None:
        raise refusals.invalid("IP allocation requires subnet_id or ip_address")
    number = None if text is None else _parsed(text)
    if subnet_id is not None:
        subnet = next((s for s in subnets if s.id == subnet_id), None)
        if subnet is None:
            raise refusals.invalid(
                f"fixed_ips names the subnet {subnet_id}, which is not on network {port.network_id}."
            )
        if number is not None and not _is_usable(subnet, number):
            raise refusals.invalid(
                f"IP address {text} is not a valid IP for the specified subnet.", "InvalidIpForSubnet"
            )
        return subnet
    subnet = next((s for s in subnets if number is not None and _is_usable(s, number)), None)
    if subnet is None:
        raise refusals.invalid(
            f"IP address {text} is not a valid IP for any of the subnets on the specified network.",
            "InvalidIpForNetwork",
        )
    return subnet


def _parsed(text: str) -> addresses.Ip:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise refusals.malformed(
            f"Invalid input for fixed_ips. '{text}' is not a valid IP address."
        ) from None


def _is_usable(subnet: Subnet, ip: addresses.Ip) -> bool:
    first, last = addresses.usable(subnet.prefix)
    return ip.version == subnet.ip_version and first <= int(ip) <= last


def _auto(subnet: Subnet, port: Port) -> str:
    return addresses.eui64(subnet.prefix, port.mac_address)


def _counter(session: Session, subnet_id: str) -> Callable[[int, int], int]:
    def count(first: int, last: int) -> int:
        statement = select(func.count()).where(
            PortAddress.subnet_id == subnet_id,
            PortAddress.position.between(addresses.position(first), addresses.position(last)),
        )
        return session.scalar(statement) or 0

    return count


def _add(session: Session, port: Port, subnet: Subnet, number: int) -> None:
    session.add(
        PortAddress(
            subnet_id=subnet.id,
            position=addresses.position(number),
            port_id=port.id,
            ip_address=addresses.address(number, subnet.ip_version),
            ordinal=time.time_ns(),
        )
    )
    session.flush()
