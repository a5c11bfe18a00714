"""Changing a router: its own values, its gateway, its routes."""

from typing import Any

from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import standard
from controller.network.routers import attached, gateway, host, routes
from controller.network.routers.model import Router
from controller.web.caller import Caller


def update(session: Session, caller: Caller, router: Router, values: dict[str, Any]) -> None:
    """Writes the change. Raises BadRequest, NotFound, Conflict."""
    attached.lock(session, router)
    is_moved = "gateway" in values or "routes" in values
    given = values.pop("routes", router.routes)
    if "gateway" in values:
        gateway.set_gateway(session, caller, router, gateway.asked(values.pop("gateway")))
    if is_moved:
        router.routes = routes.checked(session, router.id, given or [])
    for name, value in values.items():
        setattr(router, name, value)
    host.settle(session, router)
    standard.touch(router)
    outbox.changed(session, "router", router.id)
