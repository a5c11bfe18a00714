"""What a port forwarding may lead to: rules shared by create and update. All raise BadRequest or Conflict."""

import ipaddress

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import collection, refusals
from controller.network.floating_ips.associate import Target, ipv4_addresses, router_between
from controller.network.floating_ips.model import FloatingIp
from controller.network.port_forwardings import ranges
from controller.network.port_forwardings.model import PortForwarding
from controller.network.ports.kind import KIND as PORTS
from controller.network.ports.model import Port
from controller.web.caller import Caller
from controller.web.errors import NotFound


def target(
    session: Session, caller: Caller, floating_ip: FloatingIp, port_id: str, ip_address: str | None
) -> Target:
    """The inner address and the router that reaches it; the first IPv4 address if none is named."""
    port: Port = collection.find(session, PORTS, caller, port_id)
    has = ipv4_addresses(session, port.id)
    if not has:
        raise refusals.bad("port_forwarding", f"Port {port.id} has no IPv4 address to forward to.")
    text = _normal(ip_address) if ip_address else next(iter(has))
    if text not in has:
        raise refusals.bad(
            "port_forwarding",
            f"Port {port.id} has no address {text}.",
        )
    try:
        router_id = router_between(session, port, has[text], floating_ip.floating_network_id)
    except NotFound as error:
        raise refusals.bad("port_forwarding", error.message) from None
    return Target(port.id, text, router_id)


def association(session: Session, floating_ip: FloatingIp, found: Target) -> None:
    """Neither the floating IP stands for a whole port, nor another one for this port."""
    if floating_ip.port_id:
        raise refusals.in_use(
            f"Floating IP {floating_ip.floating_ip_address} ({floating_ip.id}) stands for port "
            f"{floating_ip.port_id} as a whole: disassociate it first.",
            "FloatingIPPortAlreadyAssociated",
        )
    other = session.scalar(select(FloatingIp.id).where(FloatingIp.port_id == found.port_id).limit(1))
    if other is not None:
        raise refusals.in_use(
            f"A floating IP leads to the whole of port {found.port_id}: disassociate it first.",
            "PortHasBindingFloatingIP",
        )
    if floating_ip.router_id not in (None, found.router_id):
        raise refusals.bad(
            "port_forwarding",
            f"Floating IP {floating_ip.id} is at router {floating_ip.router_id}, and port {found.port_id} behind "
            "another one.",
        )


def collisions(session: Session, forwarding: PortForwarding) -> None:
    """No other forwarding has its outer or its inner ports."""
    ranges.check_lengths(forwarding.internal, forwarding.external)
    others = select(PortForwarding).where(
        PortForwarding.id != forwarding.id, PortForwarding.protocol == forwarding.protocol
    )
    outer = session.scalars(others.where(PortForwarding.floatingip_id == forwarding.floatingip_id))
    ranges.check_apart(forwarding.external, [other.external for other in outer], "external")
    inner = session.scalars(
        others.where(
            PortForwarding.internal_port_id == forwarding.internal_port_id,
            PortForwarding.internal_ip_address == forwarding.internal_ip_address,
        )
    )
    ranges.check_apart(forwarding.internal, [other.internal for other in inner], "internal")


def _normal(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise refusals.malformed(f"internal_ip_address: '{text}' is no IP address.") from None
