"""What is special about routers in lists and look-ups."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import options
from controller.network.collection import Kind, Related
from controller.network.ports.model import GATEWAY_OWNER, Port, PortAddress
from controller.network.routers.fields import ROUTER
from controller.network.routers.model import Router
from controller.network.tags import model as tags


def _related(session: Session, rows: Sequence[Any]) -> Related:
    ids = [row.id for row in rows]
    return {
        "gateways": _gateways(session, ids),
        "tags": tags.of(session, ids),
        "options": {"zones": [options.settings().availability_zone]},
    }


def _gateways(session: Session, router_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Network and addresses of the gateway by router."""
    found: dict[str, dict[str, Any]] = {}
    statement = (
        select(Port.router_id, Port.network_id, PortAddress.subnet_id, PortAddress.ip_address)
        .outerjoin(PortAddress, PortAddress.port_id == Port.id)
        .where(Port.router_id.in_(router_ids), Port.device_owner == GATEWAY_OWNER)
        .order_by(PortAddress.ordinal)
    )
    for router_id, network_id, subnet_id, ip_address in session.execute(statement):
        gateway = found.setdefault(router_id, {"network_id": network_id, "external_fixed_ips": []})
        if subnet_id is not None:
            gateway["external_fixed_ips"].append({"subnet_id": subnet_id, "ip_address": ip_address})
    return found


KIND = Kind(name="router", fields=ROUTER, model=Router, related=_related)
