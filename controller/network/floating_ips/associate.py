"""A floating IP stands for an address of a port, by a router that reaches both."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from controller.network import collection, refusals, standard
from controller.network.floating_ips.forwarded import check_no_forwarding
from controller.network.floating_ips.model import FloatingIp
from controller.network.floating_ips.tell import tell
from controller.network.ports.kind import KIND as PORTS
from controller.network.ports.model import (
    AUTO_DELETED_OWNERS,
    GATEWAY_OWNER,
    INTERFACE_OWNER,
    Port,
    PortAddress,
)
from controller.network.routers import attached
from controller.network.subnets.model import Subnet
from controller.web.caller import Caller


@dataclass(frozen=True)
class Target:
    """What a floating IP is to stand for, and the router that does it."""

    port_id: str
    fixed_ip_address: str
    router_id: str


def lock_target(
    session: Session, caller: Caller, project_id: str, network_id: str, asked: dict[str, Any]
) -> Target:
    """What ``port_id`` and ``fixed_ip_address`` mean for a floating IP of ``project_id`` on an external
    network; router and port are locked. Raises BadRequest, NotFound."""
    return locked(session, lambda: _target(session, caller, project_id, network_id, asked))


def locked(session: Session, find: Callable[[], Target]) -> Target:
    """What ``find`` finds, with its router and port locked: it is looked for twice."""
    target = find()
    attached.lock_row(session, target.router_id)
    if not standard.lock(session, Port, [target.port_id]):
        raise refusals.missing("port", target.port_id)
    if find() != target:
        raise refusals.in_use("The port's network was changed at the same moment: try again.", "Conflict")
    return target


def stand_for(session: Session, floating_ip: FloatingIp, target: Target) -> None:
    """Writes the association, DOWN until the router's host has it. Raises Conflict."""
    check_no_forwarding(session, floating_ip)
    _check_free(session, floating_ip, target)
    tell(session, floating_ip)
    if (floating_ip.port_id, floating_ip.fixed_ip_address, floating_ip.router_id) != (
        target.port_id,
        target.fixed_ip_address,
        target.router_id,
    ):
        floating_ip.status = "DOWN"
    floating_ip.port_id = target.port_id
    floating_ip.fixed_ip_address = target.fixed_ip_address
    floating_ip.router_id = target.router_id
    session.flush()
    tell(session, floating_ip)


def _target(
    session: Session, caller: Caller, project_id: str, network_id: str, asked: dict[str, Any]
) -> Target:
    port: Port = collection.find(session, PORTS, caller, asked["port_id"])
    if port.project_id != project_id and not caller.is_admin:
        raise refusals.bad(
            "floatingip",
            f"Port {port.id} is another project's.",
        )
    if port.device_owner in AUTO_DELETED_OWNERS:
        raise refusals.bad("floatingip", f"Port {port.id} is the cloud's own: no floating IP can lead to it.")
    subnet_id, text = _fixed_ip(session, port.id, asked.get("fixed_ip_address"))
    return Target(port.id, text, router_between(session, port, subnet_id, network_id))


def ipv4_addresses(session: Session, port_id: str) -> dict[str, str]:
    """A port's IPv4 addresses in order, each with its subnet."""
    rows = session.execute(
        select(PortAddress.subnet_id, PortAddress.ip_address)
        .where(PortAddress.port_id == port_id)
        .order_by(PortAddress.ordinal)
    )
    return {row.ip_address: row.subnet_id for row in rows if ":" not in row.ip_address}


def _fixed_ip(session: Session, port_id: str, wanted: str | None) -> tuple[str, str]:
    """Subnet and text of the inner address."""
    has = ipv4_addresses(session, port_id)
    if wanted:
        text = _ipv4(wanted)
        if text not in has:
            raise refusals.bad("floatingip", f"Port {port_id} has no fixed IP {text}.")
        return has[text], text
    if not has:
        raise refusals.bad("floatingip", f"Port {port_id} has no IPv4 address for a floating IP to lead to.")
    if len(has) > 1:
        raise refusals.bad(
            "floatingip",
            f"Port {port_id} has several IPv4 addresses: say which by fixed_ip_address.",
        )
    ((text, subnet_id),) = has.items()
    return subnet_id, text


def _ipv4(text: str) -> str:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        raise refusals.malformed(f"fixed_ip_address: '{text}' is no IP address.") from None
    if found.version != 4:
        raise refusals.bad(
            "floatingip",
            f"fixed_ip_address: {text} is no IPv4 address.",
        )
    return str(found)


def router_between(session: Session, port: Port, subnet_id: str, network_id: str) -> str:
    """The router between the subnet and the external network, rather the one at the subnet's gateway.

    Raises NotFound.
    """
    outside = aliased(Port)
    statement = (
        select(Port.router_id, PortAddress.ip_address, Subnet.gateway_ip)
        .join(PortAddress, PortAddress.port_id == Port.id)
        .join(Subnet, Subnet.id == PortAddress.subnet_id)
        .join(outside, outside.router_id == Port.router_id)
        .where(
            Port.device_owner == INTERFACE_OWNER,
            Subnet.id == subnet_id,
            outside.device_owner == GATEWAY_OWNER,
            outside.network_id == network_id,
        )
        .order_by(Port.router_id)
    )
    found = session.execute(statement).all()
    at_gateway = [row.router_id for row in found if row.ip_address == row.gateway_ip]
    for router_id in (*at_gateway, *(row.router_id for row in found)):
        if router_id is not None:
            return str(router_id)
    raise refusals.absent(
        f"No router leads from subnet {subnet_id} of port {port.id} to network {network_id}: add an interface and "
        "a gateway.",
        "ExternalGatewayForFloatingIPNotFound",
    )


def _check_free(session: Session, floating_ip: FloatingIp, target: Target) -> None:
    other = session.scalar(
        select(FloatingIp.id).where(
            FloatingIp.id != floating_ip.id,
            FloatingIp.port_id == target.port_id,
            FloatingIp.fixed_ip_address == target.fixed_ip_address,
            FloatingIp.floating_network_id == floating_ip.floating_network_id,
        )
    )
    if other is not None:
        raise refusals.in_use(
            f"Another floating IP of network {floating_ip.floating_network_id} leads to "
            f"{target.fixed_ip_address} of port {target.port_id}: disassociate it first.",
            "FloatingIPPortAlreadyAssociated",
        )
