"""Some extra routes more, or some less: changes that do not undo each other."""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import standard
from controller.network.routers import attached, routes
from controller.network.routers.model import Router

#: From the routes that are there to those that should be.
Change = Callable[[Sequence[routes.Route]], list[routes.Route]]


def change_routes(session: Session, router: Router, change: Change) -> None:
    """Replaces the routes by what ``change`` makes of them. Raises BadRequest."""
    attached.lock(session, router)
    router.routes = routes.checked(session, router.id, change(router.routes))
    standard.touch(router)
    session.flush()
    outbox.changed(session, "router", router.id)
