"""Floating IPs lose what they stand for."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import standard
from controller.network.floating_ips.model import FloatingIp
from controller.network.floating_ips.tell import tell


def disassociate(session: Session, port_id: str) -> None:
    """No floating IP stands for the port any more, which is locked."""
    loosen(session, session.scalars(select(FloatingIp).where(FloatingIp.port_id == port_id)).all())


def loosen(session: Session, floating_ips: Sequence[FloatingIp]) -> None:
    """These stand for nothing any more; their routers' hosts are told."""
    for floating_ip in floating_ips:
        tell(session, floating_ip)
        floating_ip.port_id = floating_ip.fixed_ip_address = floating_ip.router_id = None
        floating_ip.status = "DOWN"
        standard.touch(floating_ip)
    session.flush()
