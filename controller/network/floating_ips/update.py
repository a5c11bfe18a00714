"""Changing a floating IP: what it stands for, and its description."""

from typing import Any

from sqlalchemy.orm import Session

from controller.network import refusals, standard
from controller.network.floating_ips.associate import lock_target, stand_for
from controller.network.floating_ips.disassociate import loosen
from controller.network.floating_ips.lock import lock
from controller.network.floating_ips.model import FloatingIp
from controller.network.floating_ips.tell import tell
from controller.network.qos import attach
from controller.web.caller import Caller


def update(session: Session, caller: Caller, floating_ip: FloatingIp, values: dict[str, Any]) -> None:
    """Writes the change; what the body does not name stays. Raises BadRequest, NotFound, Conflict."""
    is_named = "port_id" in values or "fixed_ip_address" in values
    port_id = values.pop("port_id", floating_ip.port_id)
    fixed_ip_address = values.pop("fixed_ip_address", None)
    if fixed_ip_address and not port_id:
        raise refusals.bad("floatingip", "fixed_ip_address is an address of a port: give its port_id too.")
    if is_named and port_id:
        asked = {"port_id": port_id, "fixed_ip_address": fixed_ip_address}
        network_id = floating_ip.floating_network_id
        target = lock_target(session, caller, floating_ip.project_id, network_id, asked)
        lock(session, floating_ip)
        stand_for(session, floating_ip, target)
    else:
        lock(session, floating_ip)
    if is_named and not port_id and floating_ip.port_id:
        loosen(session, [floating_ip])
    policy_id = values.get("qos_policy_id", floating_ip.qos_policy_id)
    if policy_id != floating_ip.qos_policy_id:
        attach.check(session, caller, policy_id, floating_ip.qos_policy_id)
        tell(session, floating_ip)
    for name, value in values.items():
        setattr(floating_ip, name, value)
    standard.touch(floating_ip)
