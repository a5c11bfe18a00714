"""Taking a router off a subnet."""

import ipaddress
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import collection, refusals, standard
from controller.network.floating_ips.model import FloatingIp
from controller.network.port_forwardings.model import PortForwarding
from controller.network.ports import delete as ports_delete
from controller.network.ports.model import INTERFACE_OWNER, Port, PortAddress
from controller.network.routers import attached
from controller.network.routers.add_interface import Interface
from controller.network.routers.attached import Attached
from controller.network.routers.model import Router
from controller.network.subnets.kind import KIND as SUBNETS
from controller.web.caller import Caller


def remove_interface(session: Session, caller: Caller, router: Router, asked: dict[str, Any]) -> Interface:
    """Removes the port ``port_id`` from the router, or what it has on ``subnet_id``.

    Raises NotFound, and Conflict while floating IPs or routes need it.
    """
    attached.lock(session, router)
    has = [a for a in attached.addresses(session, router.id) if a.device_owner == INTERFACE_OWNER]
    going = (
        _of_port(router, has, asked)
        if "port_id" in asked
        else _of_subnet(session, caller, router, has, asked)
    )
    for address in going:
        _check_unused(session, router, address)
    port = session.get_one(Port, going[0].port_id)
    if len(going) == sum(a.port_id == port.id for a in has):
        ports_delete.remove(session, port)
    else:
        _leave(session, port, going)
    standard.touch(router)
    outbox.changed(session, "router", router.id)
    return Interface(router, port, tuple(address.subnet_id for address in going))


def _of_port(router: Router, has: Sequence[Attached], asked: dict[str, Any]) -> list[Attached]:
    port_id, subnet_id = asked["port_id"], asked.get("subnet_id")
    going = [a for a in has if a.port_id == port_id]
    if not going:
        raise refusals.absent(
            f"Router {router.id} does not have an interface with id {port_id}", "RouterInterfaceNotFound"
        )
    if subnet_id and subnet_id not in {a.subnet_id for a in going}:
        raise refusals.in_use(
            f"Port {port_id} of the router is not on subnet {subnet_id}.",
            "SubnetMismatchForPort",
        )
    return going


def _of_subnet(
    session: Session, caller: Caller, router: Router, has: Sequence[Attached], asked: dict[str, Any]
) -> list[Attached]:
    subnet = collection.find(session, SUBNETS, caller, asked["subnet_id"])
    going = [a for a in has if a.subnet_id == subnet.id]
    if not going:
        raise refusals.absent(
            f"Router {router.id} has no interface on subnet {subnet.id}", "RouterInterfaceNotFoundForSubnet"
        )
    return going


def _check_unused(session: Session, router: Router, address: Attached) -> None:
    what = f"Router {router.id} needs its interface on subnet {address.subnet_id}"
    if any(ipaddress.ip_address(route["nexthop"]) in address.prefix for route in router.routes):
        raise refusals.in_use(f"{what} for a route: remove the route first.", "RouterInterfaceInUseByRoute")
    serving = (
        select(FloatingIp.id)
        .join(
            PortAddress,
            (PortAddress.port_id == FloatingIp.port_id)
            & (PortAddress.ip_address == FloatingIp.fixed_ip_address),
        )
        .where(FloatingIp.router_id == router.id, PortAddress.subnet_id == address.subnet_id)
    )
    forwarded = (
        select(PortForwarding.id)
        .join(FloatingIp, FloatingIp.id == PortForwarding.floatingip_id)
        .join(
            PortAddress,
            (PortAddress.port_id == PortForwarding.internal_port_id)
            & (PortAddress.ip_address == PortForwarding.internal_ip_address),
        )
        .where(FloatingIp.router_id == router.id, PortAddress.subnet_id == address.subnet_id)
    )
    if session.scalar(serving.limit(1)) or session.scalar(forwarded.limit(1)):
        raise refusals.in_use(
            f"{what} for a floating IP: disassociate that first.", "RouterInterfaceInUseByFloatingIP"
        )


def _leave(session: Session, port: Port, going: Sequence[Attached]) -> None:
    """Some subnets of several: the port stays."""
    session.execute(
        sql_delete(PortAddress).where(
            PortAddress.port_id == port.id, PortAddress.subnet_id.in_([a.subnet_id for a in going])
        )
    )
    standard.touch(port)
    outbox.changed(session, "port", port.id)
