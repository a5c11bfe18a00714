"""The catalog as tokens and /auth/catalog show it."""

from typing import Any

from sqlalchemy import and_, select, true
from sqlalchemy.orm import Session

from controller.identity.catalog import templates
from controller.identity.catalog.model import Endpoint, Service

_service = Service.__table__
_endpoint = Endpoint.__table__
_ROWS = (
    select(
        _service.c.id,
        _service.c.type,
        _service.c.name,
        _endpoint.c.id,
        _endpoint.c.interface,
        _endpoint.c.region_id,
        _endpoint.c.url,
    )
    .outerjoin(_endpoint, and_(_endpoint.c.service_id == _service.c.id, _endpoint.c.is_enabled == true()))
    .where(_service.c.is_enabled == true())
    .order_by(_service.c.type, _service.c.id, _endpoint.c.interface, _endpoint.c.id)
)


def catalog(session: Session, user_id: str, project_id: str | None) -> list[dict[str, Any]]:
    """All enabled services with the endpoints whose URL can be filled in for this caller."""
    known = {"user_id": user_id, "project_id": project_id, "tenant_id": project_id}
    services: dict[str, dict[str, Any]] = {}
    for service_id, kind, name, endpoint_id, interface, region, url in session.execute(_ROWS):
        service = services.setdefault(
            service_id, {"endpoints": [], "id": service_id, "type": kind, "name": name}
        )
        place = templates.filled(url, known) if endpoint_id else None
        if place is not None:
            service["endpoints"].append(
                {
                    "id": endpoint_id,
                    "interface": interface,
                    "region_id": region,
                    "region": region,
                    "url": place,
                }
            )
    return list(services.values())
