"""Deleting a subnet that no user's port has a given address of."""

from sqlalchemy import delete as sql_delete
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import refusals, standard
from controller.network.networks.model import Network
from controller.network.ports import service
from controller.network.ports.model import AUTO_DELETED_OWNERS, ROUTER_OWNERS, Port, PortAddress
from controller.network.subnets.model import Subnet
from controller.network.tags import model as tags


def delete(session: Session, subnet: Subnet) -> None:
    """Removes the subnet. Raises Conflict while it is in use."""
    standard.lock(session, Network, [subnet.network_id])
    standard.lock_row(session, subnet, "subnet")
    holding = (
        select(Port.id)
        .join(PortAddress, PortAddress.port_id == Port.id)
        .where(PortAddress.subnet_id == subnet.id)
    )
    users = holding.where(Port.device_owner.not_in(AUTO_DELETED_OWNERS))
    if subnet.is_auto_address:
        users = users.where(Port.device_owner.in_(ROUTER_OWNERS))
    if session.scalar(users.limit(1)):
        raise refusals.in_use(
            f"Unable to complete operation on subnet {subnet.id}: One or more ports have an IP allocation "
            "from this subnet.",
            "SubnetInUse",
        )
    affected = session.scalars(holding.where(or_(Port.binding_host != "", Port.server_id.is_not(None)))).all()
    session.execute(sql_delete(PortAddress).where(PortAddress.subnet_id == subnet.id))
    session.execute(sql_delete(Subnet).where(Subnet.id == subnet.id))
    tags.forget(session, subnet.id)
    service.refresh(session, subnet.network_id)
    outbox.changed(session, "port", *affected)
