"""Deleting a router, when it has no interface and serves no floating IP."""

from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import refusals
from controller.network.routers import attached, gateway
from controller.network.routers.model import Router
from controller.network.tags import model as tags


def delete(session: Session, router: Router) -> None:
    """Removes the router with its gateway. Raises Conflict while it is in use."""
    attached.lock(session, router)
    ports = attached.interfaces(session, router.id)
    if ports:
        raise refusals.in_use(
            f"Take its ports from router {router.id} first: {', '.join(port.id for port in ports)}.",
            "RouterInUse",
        )
    gateway.clear(session, router)
    session.execute(sql_delete(Router).where(Router.id == router.id))
    tags.forget(session, router.id)
    outbox.changed(session, "router", router.id)
