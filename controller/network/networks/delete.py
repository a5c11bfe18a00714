"""Deleting a network with its subnets, when nothing but its own service port is on it."""

from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import refusals, standard
from controller.network.floating_ips.delete import delete_unused
from controller.network.networks.model import Network
from controller.network.ports.model import AUTO_DELETED_OWNERS, Port
from controller.network.rbac import model as rbac
from controller.network.subnets.model import Subnet
from controller.network.tags import model as tags


def delete(session: Session, network: Network) -> None:
    """Removes the network. Raises Conflict while ports of users are on it."""
    standard.lock_row(session, network, "network")
    delete_unused(session, network.id)
    ports = session.execute(select(Port.id, Port.device_owner).where(Port.network_id == network.id)).all()
    if any(port.device_owner not in AUTO_DELETED_OWNERS for port in ports):
        raise refusals.in_use(
            f"Unable to complete operation on network {network.id}. "
            "There are one or more ports still in use on the network: delete them first.",
            "NetworkInUse",
        )
    subnets = session.scalars(select(Subnet.id).where(Subnet.network_id == network.id)).all()
    session.execute(sql_delete(Port).where(Port.network_id == network.id))
    session.execute(sql_delete(Subnet).where(Subnet.network_id == network.id))
    session.execute(sql_delete(Network).where(Network.id == network.id))
    rbac.forget(session, network.id)
    tags.forget(session, network.id, *subnets, *(port.id for port in ports))
    outbox.changed(session, "segment", network.id)
