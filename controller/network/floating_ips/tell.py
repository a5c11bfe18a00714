"""Who must hear of a floating IP."""

from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network.floating_ips.model import FloatingIp


def tell(session: Session, floating_ip: FloatingIp) -> None:
    """Writes the outbox for the router that does it, and for the external network: where that is carried by
    tunnels, the other hosts answer ARP for what is behind the router's gateway."""
    if floating_ip.router_id:
        outbox.changed(session, "router", floating_ip.router_id)
        outbox.changed(session, "segment", floating_ip.floating_network_id)
