"""Deleting port forwardings; a floating IP whose last one goes is on no router any more."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network.floating_ips.lock import lock
from controller.network.floating_ips.model import FloatingIp
from controller.network.floating_ips.tell import tell
from controller.network.port_forwardings.model import PortForwarding


def delete(session: Session, forwarding: PortForwarding) -> None:
    """Removes one."""
    lock(session, session.get_one(FloatingIp, forwarding.floatingip_id))
    _remove(session, [forwarding])


def delete_of_port(session: Session, port_id: str, kept: Sequence[str] = ()) -> None:
    """Removes those that lead to a port, which is locked, but for some of its addresses."""
    statement = select(PortForwarding).where(
        PortForwarding.internal_port_id == port_id, PortForwarding.internal_ip_address.not_in(kept)
    )
    _remove(session, session.scalars(statement).all())


def _remove(session: Session, forwardings: Sequence[PortForwarding]) -> None:
    for forwarding in forwardings:
        session.delete(forwarding)
    session.flush()
    for floatingip_id in sorted({forwarding.floatingip_id for forwarding in forwardings}):
        floating_ip = session.get_one(FloatingIp, floatingip_id)
        tell(session, floating_ip)
        others = select(PortForwarding.id).where(PortForwarding.floatingip_id == floatingip_id)
        if session.scalar(others.limit(1)) is None:
            floating_ip.router_id, floating_ip.status = None, "DOWN"
    session.flush()
