"""Changing a subnet."""

import ipaddress
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import refusals, standard
from controller.network.networks.model import Network
from controller.network.ports import service
from controller.network.ports.model import ROUTER_OWNERS, Port, PortAddress
from controller.network.subnets import check
from controller.network.subnets.create import shown_pools
from controller.network.subnets.model import Subnet


def update(session: Session, subnet: Subnet, values: dict[str, Any]) -> None:
    """Writes the change. Raises BadRequest, Conflict."""
    standard.lock(session, Network, [subnet.network_id])
    standard.lock_row(session, subnet, "subnet")
    _check(session, subnet, values)
    is_dhcp_changed = values.get("is_dhcp", subnet.is_dhcp) != subnet.is_dhcp
    for name, value in values.items():
        setattr(subnet, name, value)
    standard.touch(subnet)
    session.flush()
    if is_dhcp_changed:
        service.refresh(session, subnet.network_id)
    outbox.changed(session, "subnet", subnet.id)


def _check(session: Session, subnet: Subnet, values: dict[str, Any]) -> None:
    cidr = subnet.prefix
    is_dhcp = values.get("is_dhcp", subnet.is_dhcp)
    if is_dhcp and not subnet.is_dhcp:
        check.dhcp(cidr)
    check.ipv6_modes(cidr, is_dhcp, subnet.ipv6_ra_mode, subnet.ipv6_address_mode)
    if "gateway_ip" in values:
        values["gateway_ip"] = _gateway(session, subnet, values["gateway_ip"] or None)
    gateway = values.get("gateway_ip", subnet.gateway_ip)
    if "gateway_ip" in values or "allocation_pools" in values:
        given = values.get("allocation_pools")
        kept = subnet.allocation_pools if given is None else given
        pools = check.pools(kept, cidr, None if gateway is None else ipaddress.ip_address(gateway))
        values["allocation_pools"] = shown_pools(pools, cidr.version)
    if "dns_nameservers" in values:
        values["dns_nameservers"] = check.dns_nameservers(values["dns_nameservers"] or (), cidr.version)
    if "service_types" in values:
        values["service_types"] = check.service_types(values["service_types"] or ())
    if "host_routes" in values:
        values["host_routes"] = check.host_routes(values["host_routes"] or (), cidr.version)


def _gateway(session: Session, subnet: Subnet, text: str | None) -> str | None:
    gateway = None if text is None else str(check.gateway(text, subnet.prefix))
    if gateway != subnet.gateway_ip and subnet.gateway_ip is not None:
        statement = (
            select(Port.id)
            .join(PortAddress, PortAddress.port_id == Port.id)
            .where(
                PortAddress.subnet_id == subnet.id,
                PortAddress.ip_address == subnet.gateway_ip,
                Port.device_owner.in_(ROUTER_OWNERS),
            )
        )
        port_id = session.scalar(statement)
        if port_id is not None:
            raise refusals.in_use(
                f"Current gateway ip {subnet.gateway_ip} already in use by port {port_id}. Unable to update.",
                "GatewayIpInUse",
            )
    return gateway
