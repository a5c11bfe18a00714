"""What a router is joined to: its ports with their addresses and subnets, and its rows in line."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import refusals, standard
from controller.network.addresses import Prefix
from controller.network.ports.model import GATEWAY_OWNER, INTERFACE_OWNER, Port, PortAddress
from controller.network.routers.model import Router
from controller.network.subnets.model import Subnet


@dataclass(frozen=True)
class Attached:
    """One address of a port of a router."""

    port_id: str
    device_owner: str
    network_id: str
    subnet_id: str
    cidr: str
    ip_address: str

    @property
    def prefix(self) -> Prefix:
        """The subnet's CIDR, parsed."""
        return ipaddress.ip_network(self.cidr)


def lock(session: Session, router: Router) -> None:
    """Other verbs on the router stand in line. Raises NotFound."""
    standard.lock_row(session, router, "router")


def lock_row(session: Session, router_id: str) -> None:
    """As ``lock``, for a verb of another project's resource that is built on the router. Raises NotFound."""
    if not standard.lock(session, Router, [router_id]):
        raise refusals.missing("router", router_id)


def addresses(session: Session, router_id: str) -> Sequence[Attached]:
    """Every address that the router has, inside and outside."""
    statement = (
        select(
            Port.id,
            Port.device_owner,
            Port.network_id,
            Subnet.id,
            Subnet.cidr,
            PortAddress.ip_address,
        )
        .join(PortAddress, PortAddress.port_id == Port.id)
        .join(Subnet, Subnet.id == PortAddress.subnet_id)
        .where(Port.router_id == router_id)
        .order_by(PortAddress.ordinal)
    )
    return [Attached(*row) for row in session.execute(statement)]


def interfaces(session: Session, router_id: str) -> Sequence[Port]:
    """The router's ports on inner networks."""
    return session.scalars(
        select(Port)
        .where(Port.router_id == router_id, Port.device_owner == INTERFACE_OWNER)
        .order_by(Port.id)
    ).all()


def gateway(session: Session, router_id: str) -> Port | None:
    """The router's port on an external network."""
    return session.scalar(select(Port).where(Port.router_id == router_id, Port.device_owner == GATEWAY_OWNER))


def check_subnets(session: Session, router_id: str, new: Sequence[Subnet]) -> None:
    """Refuses subnets that the router is on, and those that overlap with what it reaches.

    All subnets of the external network count, not only those that the gateway has an address of.
    """
    has = addresses(session, router_id)
    already = {a.subnet_id for a in has} & {s.id for s in new}
    if already:
        raise refusals.bad("router", f"The router is on subnet {min(already)} already.")
    outside = {a.network_id for a in has if a.device_owner == GATEWAY_OWNER}
    reached = {a.subnet_id: a.prefix for a in has}
    if outside:
        rows = session.scalars(select(Subnet).where(Subnet.network_id.in_(outside)))
        reached.update({subnet.id: subnet.prefix for subnet in rows})
    for subnet in new:
        _check_overlap(subnet, reached)


def _check_overlap(subnet: Subnet, reached: dict[str, Prefix]) -> None:
    for other_id, other in reached.items():
        if other.version == subnet.ip_version and other.overlaps(subnet.prefix):
            raise refusals.bad(
                "router",
                f"{subnet.cidr} of subnet {subnet.id} overlaps {other} of subnet {other_id}, which the router has.",
            )
