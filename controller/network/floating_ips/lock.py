"""Floating IPs in line. The order of a verb's locks: project, router, network, subnets, port, floating IP,
QoS policy."""

from sqlalchemy.orm import Session

from controller.network import standard
from controller.network.floating_ips.model import FloatingIp


def lock(session: Session, floating_ip: FloatingIp) -> None:
    """Other verbs on the floating IP wait; the row is as it is now. Raises NotFound."""
    standard.lock_row(session, floating_ip, "floatingip")
