"""Floating IPs in line. The order of a verb's locks: project, router, network, subnets, port, floating IP."""

from sqlalchemy.orm import Session

from controller.network import refusals, standard
from controller.network.floating_ips.model import FloatingIp


def lock(session: Session, floating_ip: FloatingIp) -> None:
    """Other verbs on the floating IP wait; the row is as it is now. Raises NotFound."""
    if not standard.lock(session, FloatingIp, [floating_ip.id]):
        raise refusals.missing("floatingip", floating_ip.id)
    session.refresh(floating_ip)
