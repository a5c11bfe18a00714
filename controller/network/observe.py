"""What hosts say about ports becomes their status."""

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.port import PortObserved
from contract.report import Report
from controller.db.columns import now
from controller.network.ports.model import Port


def observe_port(session: Session, host: str, port_id: str, report: Report) -> list[str]:
    """Takes a host's report on one of its ports; returns what waits for such news.

    What another host than the port's says is of the past and counts for nothing.
    """
    port = session.scalar(select(Port).where(Port.id == port_id, Port.binding_host == host))
    if port is None or report.state == "removed":
        return []
    observed = msgspec.json.decode(report.observed, type=PortObserved | None)
    is_wired = report.state == "applied" and observed is not None and observed.is_wired
    status = "ACTIVE" if is_wired and port.is_admin_up else "DOWN"
    if status != port.status:
        port.status = status
        port.updated_at = now()
        port.revision_number += 1
    return [f"server:{port.server_id}"] if port.server_id else []
