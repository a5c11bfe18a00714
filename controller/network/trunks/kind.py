"""What is special about trunks in lists and look-ups, and what is shown of them with their parents."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network.collection import Kind, Related
from controller.network.ports.model import Port
from controller.network.tags import model as tags
from controller.network.trunks.fields import TRUNK
from controller.network.trunks.model import SubPort, Trunk


def _related(session: Session, rows: Sequence[Any]) -> Related:
    ids = [row.id for row in rows]
    sub_ports: dict[str, list[dict[str, Any]]] = {}
    states: dict[str, list[tuple[str, bool]]] = {}
    parents = select(Trunk.id, Port.status, Port.binding_host).join(Port, Port.id == Trunk.port_id)
    for trunk_id, status, host in session.execute(parents.where(Trunk.id.in_(ids))):
        states[trunk_id] = [(status, bool(host))]
    for trunk_id, port in _sub_ports(session, ids):
        states[trunk_id].append((port.status, bool(port.binding_host)))
        sub_ports.setdefault(trunk_id, []).append(_shown(port))
    return {"sub_ports": sub_ports, "states": states, "tags": tags.of(session, ids)}


def details(session: Session, parent_ids: Sequence[str]) -> Mapping[str, dict[str, Any]]:
    """``trunk_details`` by parent."""
    trunks = session.execute(select(Trunk.id, Trunk.port_id).where(Trunk.port_id.in_(parent_ids))).all()
    found = {trunk.id: {"trunk_id": trunk.id, "sub_ports": []} for trunk in trunks}
    for trunk_id, port in _sub_ports(session, list(found)) if found else ():
        found[trunk_id]["sub_ports"].append({**_shown(port), "mac_address": port.mac_address})
    return {trunk.port_id: found[trunk.id] for trunk in trunks}


def _sub_ports(session: Session, trunk_ids: Sequence[str]) -> list[tuple[str, Any]]:
    statement = (
        select(
            SubPort.trunk_id,
            SubPort.port_id,
            SubPort.segmentation_id,
            Port.mac_address,
            Port.status,
            Port.binding_host,
        )
        .join(Port, Port.id == SubPort.port_id)
        .where(SubPort.trunk_id.in_(trunk_ids))
        .order_by(SubPort.segmentation_id)
    )
    return [(row.trunk_id, row) for row in session.execute(statement)]


def _shown(row: Any) -> dict[str, Any]:
    return {
        "port_id": row.port_id,
        "segmentation_id": row.segmentation_id,
        "segmentation_type": "vlan",
    }


KIND = Kind(name="trunk", fields=TRUNK, model=Trunk, related=_related)
