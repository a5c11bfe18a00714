"""Joining a router to a subnet: by a port of its own at the subnet's gateway, or by a port that is there."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.identity import projects
from controller.network import collection, refusals, standard
from controller.network.networks.model import Network
from controller.network.ports import delete as ports_delete
from controller.network.ports import ipam
from controller.network.ports.create import NewPort, create, locked_subnets
from controller.network.ports.kind import KIND as PORTS
from controller.network.ports.model import INTERFACE_OWNER, Port, PortAddress
from controller.network.routers import attached, host
from controller.network.routers.model import Router
from controller.network.subnets.kind import KIND as SUBNETS
from controller.network.subnets.model import Subnet
from controller.network.trunks.model import place_of
from controller.web.caller import Caller


@dataclass(frozen=True)
class Interface:
    """A port of a router, and the subnets that the verb was about."""

    router: Router
    port: Port
    subnet_ids: tuple[str, ...]


def add_interface(session: Session, caller: Caller, router: Router, asked: dict[str, Any]) -> Interface:
    """Joins the router to ``subnet_id`` or to the subnets of ``port_id``.

    Raises BadRequest, NotFound, Conflict, refusals.OverQuota.
    """
    if "subnet_id" in asked and "port_id" in asked:
        raise refusals.bad("router", "Give subnet_id or port_id, not both.")
    # the project comes first everywhere, and a new port is counted
    projects.lock(session, router.project_id)
    attached.lock(session, router)
    if "port_id" in asked:
        found = _by_port(session, caller, router, asked["port_id"])
    else:
        found = _by_subnet(session, caller, router, asked["subnet_id"])
    host.settle(session, router)
    standard.touch(router)
    outbox.changed(session, "router", router.id)
    return found


# --- by subnet


def _by_subnet(session: Session, caller: Caller, router: Router, subnet_id: str) -> Interface:
    subnet: Subnet = collection.find(session, SUBNETS, caller, subnet_id)
    if not subnet.gateway_ip:
        raise refusals.bad(
            "router",
            f"Subnet {subnet.id} has no gateway_ip for the router to be at: set one, or give a port.",
        )
    if subnet.project_id != caller.own_project and not caller.is_admin:
        raise refusals.bad(
            "router",
            f"Subnet {subnet.id} is another project's: give a port of yours on its network.",
        )
    _check_advertised_by_us(subnet)
    attached.check_subnets(session, router.id, [subnet])
    address = {"subnet_id": subnet.id, "ip_address": subnet.gateway_ip}
    port = _ipv6_port(session, router.id, subnet.network_id) if subnet.ip_version == 6 else None
    if port is None:
        port = _new_port(session, router, subnet.network_id, address)
    else:
        _further_address(session, port, address)
    return Interface(router, port, (subnet.id,))


def _new_port(session: Session, router: Router, network_id: str, address: dict[str, str]) -> Port:
    new = NewPort(
        network_id=network_id,
        fixed_ips=(address,),
        device_id=router.id,
        device_owner=INTERFACE_OWNER,
        is_port_security=False,
        security_group_ids=(),
        extra={"router_id": router.id},
    )
    return create(session, router.project_id, new, is_admin=True)


def _further_address(session: Session, port: Port, address: dict[str, str]) -> None:
    """All IPv6 prefixes of a network are on one port: it is one link, with one set of advertisements."""
    standard.lock(session, Network, [port.network_id])
    ipam.give(session, port, locked_subnets(session, port.network_id), address)
    standard.touch(port)
    outbox.changed(session, "port", port.id)


def _ipv6_port(session: Session, router_id: str, network_id: str) -> Port | None:
    statement = (
        select(Port)
        .join(PortAddress, PortAddress.port_id == Port.id)
        .join(Subnet, Subnet.id == PortAddress.subnet_id)
        .where(
            Port.router_id == router_id,
            Port.network_id == network_id,
            Port.device_owner == INTERFACE_OWNER,
            Subnet.ip_version == 6,
        )
    )
    return session.scalars(statement.limit(1)).one_or_none()


# --- by port


def _by_port(session: Session, caller: Caller, router: Router, port_id: str) -> Interface:
    if not standard.lock(session, Port, [port_id]):
        raise refusals.missing("port", port_id)
    port: Port = collection.find(session, PORTS, caller, port_id)
    session.refresh(port)
    is_taken = port.device_id or port.server_id or port.device_owner.startswith("network:")
    if is_taken or place_of(session, port.id):
        raise refusals.in_use(
            f"Port {port.id} is in use by device {port.device_id}: detach it there first.",
            "PortInUse",
        )
    subnets = _subnets_of(session, port)
    _check_port(session, caller, router, port, subnets)
    ports_delete.leave_groups(session, port.id)
    port.device_id = port.router_id = router.id
    port.device_owner = INTERFACE_OWNER
    standard.touch(port)
    session.flush()
    outbox.changed(session, "port", port.id)
    return Interface(router, port, tuple(subnet.id for subnet in subnets))


def _subnets_of(session: Session, port: Port) -> Sequence[Subnet]:
    return session.scalars(
        select(Subnet)
        .join(PortAddress, PortAddress.subnet_id == Subnet.id)
        .where(PortAddress.port_id == port.id)
        .order_by(PortAddress.ordinal)
    ).all()


def _check_port(
    session: Session, caller: Caller, router: Router, port: Port, subnets: Sequence[Subnet]
) -> None:
    if not subnets:
        raise refusals.bad("router", f"Port {port.id} has no address: give it a fixed IP first.")
    for subnet in subnets:
        _check_advertised_by_us(subnet)
    if any(s.ip_version == 6 for s in subnets):
        other = _ipv6_port(session, router.id, port.network_id)
        if other is not None:
            raise refusals.bad(
                "router",
                f"The router's IPv6 subnets of network {port.network_id} are all on its port {other.id}: "
                "add the subnet by subnet_id.",
            )
    attached.check_subnets(session, router.id, subnets)
    if sum(s.ip_version == 4 for s in subnets) > 1:
        raise refusals.bad("router", "A port of a router has one IPv4 subnet at most: take a port for each.")
    if not caller.is_admin:
        _check_given(session, caller, port, {s.id: s for s in subnets})


def _check_given(session: Session, caller: Caller, port: Port, subnets: dict[str, Subnet]) -> None:
    """On a subnet of another project a router may have an address of the pools alone."""
    rows = session.execute(
        select(PortAddress.subnet_id, PortAddress.ip_address).where(PortAddress.port_id == port.id)
    )
    for subnet_id, text in rows:
        subnet, number = subnets[subnet_id], int(ipaddress.ip_address(text))
        is_pooled = any(first <= number <= last for first, last in subnet.pools)
        if subnet.project_id != caller.own_project and not is_pooled:
            raise refusals.bad(
                "router",
                f"Port {port.id} has an address outside of the pools of subnet {subnet_id}, which is another "
                "project's: take one of its pools.",
            )


def _check_advertised_by_us(subnet: Subnet) -> None:
    if subnet.ip_version == 6 and subnet.ipv6_address_mode and not subnet.ipv6_ra_mode:
        raise refusals.bad(
            "router",
            f"The router advertisements of IPv6 subnet {subnet.id} come from elsewhere: it has an "
            "ipv6_address_mode and no ipv6_ra_mode.",
        )
