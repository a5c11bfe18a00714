"""The routers API."""

import abc
from collections.abc import Sequence
from typing import Any

import falcon
from sqlalchemy.orm import Session

from controller.network import collection, refusals
from controller.network.collection import Collection, Member
from controller.network.routers import gateway, routes
from controller.network.routers.add_interface import Interface, add_interface
from controller.network.routers.change_routes import change_routes
from controller.network.routers.create import create
from controller.network.routers.delete import delete
from controller.network.routers.fields import ROUTES
from controller.network.routers.kind import KIND
from controller.network.routers.model import Router
from controller.network.routers.remove_interface import remove_interface
from controller.network.routers.routes import Route
from controller.network.routers.update import update
from controller.web import schema
from controller.web.caller import Caller
from controller.web.resource import Resource, answer, body_of

_INTERFACE = schema.compile_schema(
    {
        "type": "object",
        "properties": {"subnet_id": schema.UUID, "port_id": schema.UUID},
        "additionalProperties": True,
    }
)
_ROUTES = schema.compile_schema(
    {
        "type": "object",
        "properties": {
            "router": {
                "type": "object",
                "properties": {"routes": ROUTES},
                "required": ["routes"],
                "additionalProperties": False,
            }
        },
        "required": ["router"],
        "additionalProperties": False,
    }
)


class Routers(Collection):
    """``/routers``."""

    kind = KIND

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> Router:
        """A router."""
        gateway.check_allowed(self.cloud.policy, caller, values["gateway"])
        return create(session, caller, values)


class RouterMember(Member):
    """``/routers/{row_id}``."""

    kind = KIND

    def update(self, session: Session, caller: Caller, row: Router, values: dict[str, Any]) -> None:
        """Its new values."""
        gateway.check_allowed(self.cloud.policy, caller, values.get("gateway"))
        update(session, caller, row, values)

    def delete(self, session: Session, caller: Caller, row: Router) -> None:
        """Its end."""
        delete(session, row)


class _Interface(Resource, abc.ABC):
    """A change of what a router is joined to."""

    @abc.abstractmethod
    def change(self, session: Session, caller: Caller, router: Router, asked: dict[str, Any]) -> Interface:
        """Writes it."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Joins, or takes off."""
        caller = self.allow(req, "network:router:interface")
        asked = _asked(body_of(req))

        def write(session: Session) -> Interface:
            router = collection.owned(session, KIND, caller, row_id, "update")
            return self.change(session, caller, router, asked)

        answer(resp, _shown(self.db.write(write)))


class RouterAddInterface(_Interface):
    """``/routers/{row_id}/add_router_interface``."""

    def change(self, session: Session, caller: Caller, router: Router, asked: dict[str, Any]) -> Interface:
        """Joins the router to a subnet."""
        return add_interface(session, caller, router, asked)


class RouterRemoveInterface(_Interface):
    """``/routers/{row_id}/remove_router_interface``."""

    def change(self, session: Session, caller: Caller, router: Router, asked: dict[str, Any]) -> Interface:
        """Takes the router off."""
        return remove_interface(session, caller, router, asked)


class _Routes(Resource, abc.ABC):
    """A change of a router's extra routes that leaves the others as they are."""

    @abc.abstractmethod
    def wanted(self, has: Sequence[Route], named: Sequence[Route]) -> list[Route]:
        """The routes that should be, of those that are there and those that the body names."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Adds, or removes."""
        caller = self.allow(req, "network:router:update")
        named = _ROUTES(body_of(req))["router"]["routes"]

        def write(session: Session) -> tuple[Router, collection.Related]:
            router = collection.owned(session, KIND, caller, row_id, "update")
            change_routes(session, router, lambda has: self.wanted(has, named))
            return router, KIND.related(session, [router])

        router, related = self.db.write(write)
        answer(resp, KIND.fields.one(router, self.view(req, related)))


class RouterAddRoutes(_Routes):
    """``/routers/{row_id}/add_extraroutes``."""

    def wanted(self, has: Sequence[Route], named: Sequence[Route]) -> list[Route]:
        """Those and these."""
        return routes.added(has, named)


class RouterRemoveRoutes(_Routes):
    """``/routers/{row_id}/remove_extraroutes``."""

    def wanted(self, has: Sequence[Route], named: Sequence[Route]) -> list[Route]:
        """Those without these."""
        return routes.removed(has, named)


def _asked(body: Any) -> dict[str, Any]:
    asked: dict[str, Any] = _INTERFACE(body)
    if "subnet_id" not in asked and "port_id" not in asked:
        raise refusals.bad("router", "Give subnet_id or port_id.")
    return asked


def _shown(interface: Interface) -> dict[str, Any]:
    port = interface.port
    return {
        "id": interface.router.id,
        "tenant_id": port.project_id,
        "project_id": port.project_id,
        "port_id": port.id,
        "network_id": port.network_id,
        "subnet_id": interface.subnet_ids[-1],
        "subnet_ids": list(interface.subnet_ids),
    }
