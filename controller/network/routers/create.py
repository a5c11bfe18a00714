"""Making a router."""

from typing import Any

from sqlalchemy.orm import Session

from controller.db import outbox
from controller.identity import projects
from controller.network import limits
from controller.network.networks.create import check_zones
from controller.network.routers import gateway, host
from controller.network.routers.model import Router
from controller.web.caller import Caller


def create(session: Session, caller: Caller, values: dict[str, Any]) -> Router:
    """A new router, with its gateway if one is given. Raises BadRequest, NotFound, Conflict."""
    projects.lock(session, values["project_id"])
    limits.check(session, values["project_id"], "router")
    check_zones(values["availability_zone_hints"])
    wanted = gateway.asked(values.pop("gateway"))
    router = Router(**values, revision_number=1)
    session.add(router)
    session.flush()
    if wanted is not None:
        gateway.set_gateway(session, caller, router, wanted)
        host.settle(session, router)
    outbox.changed(session, "router", router.id)
    return router
