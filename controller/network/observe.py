"""What hosts say about ports and routers becomes the status of ports, routers and floating IPs."""

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.document import Key
from contract.port import PortObserved
from contract.report import Report
from contract.router import RouterObserved
from controller.db.columns import now
from controller.db.host_documents import standing
from controller.network.floating_ips.model import FloatingIp
from controller.network.ports.model import Port
from controller.network.routers import document as router_document
from controller.network.routers.model import Router


def observe_port(session: Session, host: str, port_id: str, report: Report) -> list[str]:
    """Takes a host's report on one of its ports; returns what waits for such news.

    What another host than the port's says is of the past and counts for nothing.
    """
    port = session.scalar(select(Port).where(Port.id == port_id, Port.binding_host == host))
    if port is None or report.state == "removed":
        return []
    observed = msgspec.json.decode(report.observed, type=PortObserved | None)
    is_wired = observed is not None and observed.is_wired
    is_ready = report.state == "applied" and (is_wired or _is_at_rest(session, port))
    status = "ACTIVE" if is_ready and port.is_admin_up else "DOWN"
    if status != port.status:
        port.status = status
        port.updated_at = now()
        port.revision_number += 1
    return [f"server:{port.server_id}"] if port.server_id else []


def _is_at_rest(session: Session, port: Port) -> bool:
    """Whether the port's router is switched off: its host has no link to wire then, and the port is as it
    should be. Clients wait for such ports before they take a router off a subnet."""
    if port.router_id is None:
        return False
    return session.scalar(select(Router.is_admin_up).where(Router.id == port.router_id)) is False


def observe_router(session: Session, host: str, router_id: str, report: Report) -> list[str]:
    """Takes a host's report on the router that it carries; nothing waits for it.

    Only what is said of the document as it is now counts: an older one may lack the newest floating IP.
    """
    said = standing(session, router_document.DOCUMENT, Key("router", router_id), host)
    if not said.state:
        return []
    observed = msgspec.json.decode(report.observed, type=RouterObserved | None)
    is_active = said.state == "applied" and observed is not None and observed.is_active
    router = session.get_one(Router, router_id)
    _set_status(router, "ERROR" if said.state == "failed" else "ACTIVE")
    for floating_ip in session.scalars(select(FloatingIp).where(FloatingIp.router_id == router_id)):
        _set_status(floating_ip, "ACTIVE" if is_active and router.is_admin_up else "DOWN")
    return []


def _set_status(row: Router | FloatingIp, status: str) -> None:
    if row.status != status:
        row.status = status
        row.updated_at = now()
        row.revision_number += 1
