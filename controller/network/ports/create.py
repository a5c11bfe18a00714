"""Making a port: its MAC, its addresses, its groups, in the caller's transaction.

Compute makes the ports of servers with it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.identity import projects
from controller.network import limits, refusals, standard
from controller.network.networks.model import Network
from controller.network.ports import check, dns, ipam, mac
from controller.network.ports.model import Port, PortGroup
from controller.network.rbac import model as rbac
from controller.network.security_groups import default
from controller.network.subnets.model import Subnet


@dataclass(frozen=True)
class NewPort:
    """What is asked for. ``fixed_ips`` are dicts with any of subnet_id and ip_address; empty means one
    address of each version, None no address. ``security_group_ids`` None means the default group,
    ``is_port_security`` None what the network says.

    A port whose ``device_owner`` is compute is one of the server ``device_id``, unless ``is_from_user``:
    what users write there is shown, and binds nothing. ``extra`` are further columns that need no rule.
    """

    network_id: str
    name: str = ""
    description: str = ""
    fixed_ips: tuple[dict[str, str], ...] | None = ()
    security_group_ids: tuple[str, ...] | None = None
    mac_address: str | None = None
    device_id: str = ""
    device_owner: str = ""
    is_port_security: bool | None = None
    is_admin_up: bool = True
    allowed_address_pairs: tuple[dict[str, str], ...] | None = None
    dns_name: str = ""
    tag: str | None = None
    created_by_server: bool = False
    is_from_user: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def server_id(self) -> str | None:
        """The server that it is a port of."""
        is_server = self.device_owner.startswith("compute:") and not self.is_from_user
        return (self.device_id or None) if is_server else None


def create(session: Session, owner_project_id: str, new: NewPort, *, is_admin: bool = False) -> Port:
    """A new port for a project, with quota checked and its network visible to the project.

    Raises BadRequest, Forbidden, NotFound, Conflict, refusals.OverQuota.
    """
    projects.lock(session, owner_project_id)
    network = _network(session, owner_project_id, new.network_id, is_admin)
    limits.check(session, owner_project_id, "port")
    if not is_admin:
        check.owners_choice(network, owner_project_id, _chosen(new))
    return _made(session, owner_project_id, network, new, is_admin)


def create_own(session: Session, network_id: str, new: NewPort) -> Port:
    """A port of the cloud's own: no project sees it, no quota counts it.

    That the network may be used for it is settled by the caller. Raises BadRequest, NotFound, Conflict.
    """
    return _made(session, "", _network(session, "", network_id, True), new, True)


def _made(session: Session, project_id: str, network: Network, new: NewPort, is_admin: bool) -> Port:
    port = _row(session, project_id, network, new)
    if new.is_from_user:
        dns.check(port, network)
    group_ids = _groups(session, port, new, is_admin)
    check.security(port.is_port_security, port.allowed_address_pairs, group_ids)
    session.add(port)
    session.flush()
    if group_ids:
        session.execute(insert(PortGroup), [{"port_id": port.id, "group_id": g} for g in group_ids])
    _assign(session, port, new)
    if port.binding_host:
        outbox.changed(session, "port", port.id)
    return port


def locked_subnets(session: Session, network_id: str) -> Sequence[Subnet]:
    """The subnets of a network, locked, as they are now. The network is locked already, so that no other
    verb can lock them in another order."""
    session.execute(
        update(Subnet).where(Subnet.network_id == network_id).values(generation=Subnet.generation + 1),
        execution_options={"synchronize_session": False},
    )
    return session.scalars(
        select(Subnet)
        .where(Subnet.network_id == network_id)
        .order_by(Subnet.created_at, Subnet.id)
        .execution_options(populate_existing=True)
    ).all()


def _network(session: Session, project_id: str, network_id: str, is_admin: bool) -> Network:
    """The network, locked: nobody deletes it meanwhile."""
    standard.lock(session, Network, [network_id])
    network = session.get(Network, network_id)
    if network is None:
        raise refusals.missing("network", network_id)
    if is_admin or network.project_id == project_id or rbac.is_granted(session, network_id, project_id):
        return network
    if rbac.is_granted(session, network_id, project_id, rbac.EXTERNAL):
        raise refusals.disallowed("create_port", "ports on external networks are for administrators.")
    raise refusals.missing("network", network_id)


def _chosen(new: NewPort) -> dict[str, Any]:
    return {
        "mac_address": new.mac_address,
        "is_port_security": new.is_port_security,
        "allowed_address_pairs": new.allowed_address_pairs or None,
        "fixed_ips": new.fixed_ips,
    }


def _row(session: Session, project_id: str, network: Network, new: NewPort) -> Port:
    mac_address = (
        mac.checked(session, network.id, new.mac_address)
        if new.mac_address
        else mac.unused(session, network.id)
    )
    is_secure = network.is_port_security if new.is_port_security is None else new.is_port_security
    return Port(
        project_id=project_id,
        network_id=network.id,
        name=new.name,
        description=new.description,
        mac_address=mac_address,
        device_id=new.device_id,
        device_owner=new.device_owner,
        server_id=new.server_id,
        is_created_by_server=new.created_by_server,
        nic_index=next_nic(session, new.server_id) if new.server_id else 0,
        nic_tag=new.tag,
        is_admin_up=new.is_admin_up,
        is_port_security=is_secure,
        allowed_address_pairs=check.address_pairs(new.allowed_address_pairs or (), mac_address),
        dns_name=new.dns_name,
        revision_number=1,
        **new.extra,
    )


def next_nic(session: Session, server_id: str) -> int:
    """The place of a further NIC of a server."""
    statement = select(func.coalesce(func.max(Port.nic_index) + 1, 0)).where(Port.server_id == server_id)
    return session.scalar(statement) or 0


def _groups(session: Session, port: Port, new: NewPort, is_admin: bool) -> tuple[str, ...]:
    if new.security_group_ids is not None:
        return check.groups(session, port.project_id, new.security_group_ids, is_admin)
    if not port.is_port_security or port.device_owner.startswith("network:"):
        return ()
    return (default.ensure(session, port.project_id),)


def _assign(session: Session, port: Port, new: NewPort) -> None:
    check.fixed_ips(new.fixed_ips or ())
    ipam.assign(session, port, locked_subnets(session, port.network_id), new.fixed_ips)
