"""Deleting a floating IP with its address."""

from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network.floating_ips.forwarded import check_no_forwarding
from controller.network.floating_ips.lock import lock
from controller.network.floating_ips.model import FloatingIp
from controller.network.floating_ips.tell import tell
from controller.network.ports import delete as ports_delete
from controller.network.ports.model import Port
from controller.network.tags import model as tags


def delete(session: Session, floating_ip: FloatingIp) -> None:
    """Removes the floating IP, whatever it stands for. Raises Conflict while ports of it are forwarded."""
    lock(session, floating_ip)
    check_no_forwarding(session, floating_ip)
    port = session.get_one(Port, floating_ip.floating_port_id)
    tell(session, floating_ip)
    session.execute(sql_delete(FloatingIp).where(FloatingIp.id == floating_ip.id))
    tags.forget(session, floating_ip.id)
    ports_delete.remove(session, port)


def delete_unused(session: Session, network_id: str) -> None:
    """Removes the floating IPs of an external network that stand for nothing: the network goes."""
    statement = select(FloatingIp).where(
        FloatingIp.floating_network_id == network_id, FloatingIp.router_id.is_(None)
    )
    for floating_ip in session.scalars(statement).all():
        port = session.get_one(Port, floating_ip.floating_port_id)
        session.execute(sql_delete(FloatingIp).where(FloatingIp.id == floating_ip.id))
        tags.forget(session, floating_ip.id)
        ports_delete.remove(session, port)
