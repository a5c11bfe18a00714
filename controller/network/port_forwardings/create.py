"""Making a port forwarding: its floating IP is on the router that reaches the inner address from then on."""

from typing import Any

from sqlalchemy.orm import Session

from controller.db.columns import new_uuid
from controller.network.floating_ips import associate
from controller.network.floating_ips.lock import lock
from controller.network.floating_ips.model import FloatingIp
from controller.network.floating_ips.tell import tell
from controller.network.port_forwardings import check, ranges
from controller.network.port_forwardings.model import PortForwarding
from controller.web.caller import Caller


def create(
    session: Session, caller: Caller, floating_ip: FloatingIp, values: dict[str, Any]
) -> PortForwarding:
    """A new port forwarding. Raises BadRequest, NotFound, Conflict."""
    port_id, ip_address = values["internal_port_id"], values.get("internal_ip_address")
    found = associate.locked(session, lambda: check.target(session, caller, floating_ip, port_id, ip_address))
    lock(session, floating_ip)
    check.association(session, floating_ip, found)
    internal, external = ranges.asked(values, "internal"), ranges.asked(values, "external")
    forwarding = PortForwarding(
        id=new_uuid(),
        project_id=floating_ip.project_id,
        description=values["description"],
        floatingip_id=floating_ip.id,
        internal_port_id=found.port_id,
        internal_ip_address=found.fixed_ip_address,
        protocol=values["protocol"],
        external_first=external[0],
        external_last=external[1],
        internal_first=internal[0],
        internal_last=internal[1],
        revision_number=1,
    )
    check.collisions(session, forwarding)
    session.add(forwarding)
    floating_ip.router_id = found.router_id
    floating_ip.status = "DOWN"
    session.flush()
    tell(session, floating_ip)
    return forwarding
