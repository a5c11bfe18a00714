"""The service port of a network: where every host answers DHCP and metadata.

It is there while the network has a subnet with DHCP, with an address on each such subnet.
"""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network.networks.model import Network
from controller.network.ports import ipam, mac
from controller.network.ports.model import SERVICE_OWNER, Port, PortAddress
from controller.network.subnets.model import Subnet
from controller.network.tags import model as tags


def refresh(session: Session, network_id: str) -> None:
    """Makes the service port as the subnets want it; the network and its subnets are locked by the verb."""
    subnets = session.scalars(
        select(Subnet).where(Subnet.network_id == network_id, Subnet.is_dhcp).order_by(Subnet.created_at)
    ).all()
    port = find(session, network_id)
    if not subnets:
        if port is not None:
            session.execute(delete(Port).where(Port.id == port.id))
            tags.forget(session, port.id)
    else:
        port = port or _create(session, network_id)
        _address(session, port, list(subnets))
    outbox.changed(session, "segment", network_id)


def find(session: Session, network_id: str) -> Port | None:
    """The service port, if there is one."""
    return session.scalar(
        select(Port).where(Port.network_id == network_id, Port.device_owner == SERVICE_OWNER)
    )


def _create(session: Session, network_id: str) -> Port:
    network = session.get_one(Network, network_id)
    port = Port(
        network_id=network_id,
        project_id=network.project_id,
        mac_address=mac.unused(session, network_id),
        status="ACTIVE",
        device_id=f"ovnmeta-{network_id}",
        device_owner=SERVICE_OWNER,
        is_port_security=False,
        revision_number=1,
    )
    session.add(port)
    session.flush()
    return port


def _address(session: Session, port: Port, subnets: list[Subnet]) -> None:
    """A subnet whose pool is used up has no address of the service: its users come first."""
    wanted = {subnet.id for subnet in subnets}
    has = set(session.scalars(select(PortAddress.subnet_id).where(PortAddress.port_id == port.id)))
    if has - wanted:
        session.execute(
            delete(PortAddress).where(PortAddress.port_id == port.id, PortAddress.subnet_id.in_(has - wanted))
        )
    for subnet in subnets:
        if subnet.id not in has and not subnet.is_auto_address:
            ipam.give_next(session, port, subnet)
    ipam.give_auto_addresses(session, port, subnets)
