"""Whether ports of a floating IP are forwarded: then it can neither stand for a port as a whole, nor go."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import refusals
from controller.network.floating_ips.model import FloatingIp
from controller.network.port_forwardings.model import PortForwarding


def check_no_forwarding(session: Session, floating_ip: FloatingIp) -> None:
    """Raises Conflict; the floating IP is locked."""
    statement = select(PortForwarding.id).where(PortForwarding.floatingip_id == floating_ip.id)
    if session.scalar(statement.limit(1)) is not None:
        raise refusals.in_use(
            f"Floating IP {floating_ip.id} has port forwardings: delete them first.",
            "FipInUseByPortForwarding",
        )
