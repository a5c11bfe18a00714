"""What is special about floating IPs in lists and look-ups."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network.collection import Kind, Related
from controller.network.floating_ips.fields import FLOATING_IP
from controller.network.floating_ips.model import FloatingIp
from controller.network.networks.model import network_policies
from controller.network.port_forwardings.fields import single
from controller.network.port_forwardings.model import PortForwarding
from controller.network.ports.model import Port
from controller.network.tags import model as tags


def _related(session: Session, rows: Sequence[Any]) -> Related:
    return {
        "ports": _ports(session, {row.port_id for row in rows if row.port_id}),
        "network_policies": network_policies(session, {row.floating_network_id for row in rows}),
        "forwardings": _forwardings(session, [row.id for row in rows]),
        "tags": tags.of(session, [row.id for row in rows]),
    }


def _ports(session: Session, port_ids: set[str]) -> dict[str, dict[str, Any]]:
    """What is shown of the ports that floating IPs stand for."""
    statement = select(
        Port.id,
        Port.name,
        Port.network_id,
        Port.mac_address,
        Port.is_admin_up.label("admin_state_up"),
        Port.status,
        Port.device_id,
        Port.device_owner,
    ).where(Port.id.in_(port_ids))
    found: dict[str, dict[str, Any]] = {}
    for row in session.execute(statement).mappings() if port_ids else ():
        details = dict(row)
        found[details.pop("id")] = details
    return found


def _forwardings(session: Session, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The port forwardings of floating IPs, in short."""
    statement = (
        select(PortForwarding).where(PortForwarding.floatingip_id.in_(ids)).order_by(PortForwarding.id)
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in session.scalars(statement):
        found.setdefault(row.floatingip_id, []).append(
            {
                "id": row.id,
                "protocol": row.protocol,
                "internal_port_id": row.internal_port_id,
                "internal_ip_address": row.internal_ip_address,
                "internal_port": single(*row.internal),
                "external_port": single(*row.external),
            }
        )
    return found


KIND = Kind(name="floatingip", fields=FLOATING_IP, model=FloatingIp, related=_related)
