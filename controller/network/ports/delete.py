"""Deleting a port, and telling everybody who was told of it."""

from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import refusals, standard
from controller.network.floating_ips.disassociate import disassociate
from controller.network.port_forwardings.delete import delete_of_port
from controller.network.ports.model import GIVEN_ADDRESS_OWNERS, SERVICE_OWNER, Port, PortGroup
from controller.network.security_groups.model import SecurityGroupRule
from controller.network.tags import model as tags
from controller.network.trunks import trunks
from controller.network.trunks.model import check_apart


def delete(session: Session, port: Port) -> None:
    """Removes a port for a user. Raises Conflict for what is not his to remove."""
    if port.device_owner in GIVEN_ADDRESS_OWNERS:
        raise refusals.in_use(
            f"Port {port.id} cannot be deleted by this API: its device owner is {port.device_owner}.",
            "ServicePortInUse",
        )
    if port.device_owner == SERVICE_OWNER:
        raise refusals.in_use(
            f"Port {port.id} answers DHCP and metadata of its network: it goes with the subnets.",
            "ServicePortInUse",
        )
    check_apart(session, port.id)
    remove(session, port)


def remove(session: Session, port: Port) -> None:
    """Removes a port's row with addresses and groups; writes the outbox for all that was built on it.

    A floating IP that stood for it stands for nothing then, and no port is forwarded to it.
    """
    standard.lock(session, Port, [port.id])
    trunks.let_go(session, port.id)
    disassociate(session, port.id)
    delete_of_port(session, port.id)
    tell_groups(session, port.id)
    outbox.changed(session, "port", port.id)
    outbox.changed(session, "segment", port.network_id)
    if port.router_id:
        outbox.changed(session, "router", port.router_id)
    if port.server_id:
        outbox.changed(session, "server", port.server_id)
        outbox.changed(session, "instance_data", port.server_id)
    session.execute(sql_delete(Port).where(Port.id == port.id))
    tags.forget(session, port.id)


def leave_groups(session: Session, port_id: str) -> None:
    """Takes the port out of all security groups."""
    tell_groups(session, port_id)
    session.execute(sql_delete(PortGroup).where(PortGroup.port_id == port_id))


def tell_groups(session: Session, port_id: str) -> None:
    """Writes the outbox for the port's groups and for those that their rules name as remote."""
    groups = set(session.scalars(select(PortGroup.group_id).where(PortGroup.port_id == port_id)))
    remote = session.scalars(
        select(SecurityGroupRule.remote_group_id).where(
            SecurityGroupRule.group_id.in_(groups), SecurityGroupRule.remote_group_id.is_not(None)
        )
    )
    outbox.changed(session, "security_group", *sorted({*groups, *(g for g in remote if g)}))
