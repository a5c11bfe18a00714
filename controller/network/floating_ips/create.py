"""Making a floating IP: an address of an external network, held by a port of the cloud's own."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db.columns import new_uuid
from controller.identity import projects
from controller.network import collection, limits, refusals
from controller.network.floating_ips.associate import Target, lock_target, stand_for
from controller.network.floating_ips.model import FloatingIp
from controller.network.networks.kind import KIND as NETWORKS
from controller.network.networks.model import Network
from controller.network.ports import ipam
from controller.network.ports.create import NewPort, create_own, locked_subnets
from controller.network.ports.model import FLOATING_IP_OWNER, Port, PortAddress
from controller.network.qos import attach
from controller.network.subnets.model import Subnet
from controller.web.caller import Caller


def create(session: Session, caller: Caller, values: dict[str, Any]) -> FloatingIp:
    """A new floating IP, standing for a port if one is given. Raises BadRequest, NotFound, Conflict."""
    projects.lock(session, values["project_id"])
    limits.check(session, values["project_id"], "floatingip")
    network = _external(session, caller, values["floating_network_id"])
    target = _wanted(session, caller, values)
    floating_ip_id = new_uuid()
    port = _port(session, network.id, floating_ip_id, values)
    attach.check(session, caller, values.get("qos_policy_id"))
    floating_ip = FloatingIp(
        id=floating_ip_id,
        project_id=values["project_id"],
        description=values["description"],
        qos_policy_id=values.get("qos_policy_id"),
        floating_network_id=network.id,
        floating_port_id=port.id,
        floating_ip_address=session.scalars(
            select(PortAddress.ip_address).where(PortAddress.port_id == port.id)
        ).one(),
        revision_number=1,
    )
    session.add(floating_ip)
    session.flush()
    if target is not None:
        stand_for(session, floating_ip, target)
    return floating_ip


def _wanted(session: Session, caller: Caller, values: dict[str, Any]) -> Target | None:
    if values["port_id"]:
        return lock_target(session, caller, values["project_id"], values["floating_network_id"], values)
    if values["fixed_ip_address"]:
        raise refusals.bad("floatingip", "fixed_ip_address is an address of a port: give its port_id too.")
    return None


def _external(session: Session, caller: Caller, network_id: str) -> Network:
    network: Network = collection.find(session, NETWORKS, caller, network_id)
    if not network.is_external:
        raise refusals.bad(
            "floatingip",
            f"Network {network.id} has no router:external: floating IPs come from external networks.",
        )
    has_ipv4 = select(Subnet.id).where(Subnet.network_id == network.id, Subnet.ip_version == 4)
    if session.scalar(has_ipv4.limit(1)) is None:
        raise refusals.bad(
            "floatingip", f"Network {network.id} has no IPv4 subnet to take a floating IP from."
        )
    return network


def _port(session: Session, network_id: str, floating_ip_id: str, values: dict[str, Any]) -> Port:
    """The port with the address that is asked for, or with the next one of the network's IPv4 subnets."""
    names = {"subnet_id": values["subnet_id"], "ip_address": values["floating_ip_address"]}
    address = {name: value for name, value in names.items() if value}
    new = NewPort(
        network_id=network_id,
        fixed_ips=(address,) if address else None,
        device_id=floating_ip_id,
        device_owner=FLOATING_IP_OWNER,
        is_port_security=False,
        security_group_ids=(),
        extra={"status": "N/A"},
    )
    port = create_own(session, network_id, new)
    if not address:
        subnets = [s for s in ipam.eligible(port, locked_subnets(session, network_id)) if s.ip_version == 4]
        if not any(ipam.give_next(session, port, subnet) for subnet in subnets):
            raise ipam.exhausted(network_id)
    return port
