"""Changing a port forwarding."""

from typing import Any

from sqlalchemy.orm import Session

from controller.network import standard
from controller.network.floating_ips import associate
from controller.network.floating_ips.lock import lock
from controller.network.floating_ips.model import FloatingIp
from controller.network.floating_ips.tell import tell
from controller.network.port_forwardings import check, ranges
from controller.network.port_forwardings.model import PortForwarding
from controller.web.caller import Caller


def update(session: Session, caller: Caller, forwarding: PortForwarding, values: dict[str, Any]) -> None:
    """Writes the change. Raises BadRequest, NotFound, Conflict."""
    floating_ip = session.get_one(FloatingIp, forwarding.floatingip_id)
    port_id = values.get("internal_port_id", forwarding.internal_port_id)
    is_moved = port_id != forwarding.internal_port_id
    ip_address = values.get("internal_ip_address", None if is_moved else forwarding.internal_ip_address)
    found = associate.locked(session, lambda: check.target(session, caller, floating_ip, port_id, ip_address))
    lock(session, floating_ip)
    session.refresh(forwarding)
    check.association(session, floating_ip, found)
    forwarding.internal_port_id, forwarding.internal_ip_address = found.port_id, found.fixed_ip_address
    forwarding.protocol = values.get("protocol", forwarding.protocol)
    forwarding.description = values.get("description", forwarding.description)
    external = ranges.asked(values, "external", forwarding.external)
    internal = ranges.asked(values, "internal", forwarding.internal)
    forwarding.external_first, forwarding.external_last = external
    forwarding.internal_first, forwarding.internal_last = internal
    check.collisions(session, forwarding)
    standard.touch(forwarding)
    session.flush()
    tell(session, floating_ip)
