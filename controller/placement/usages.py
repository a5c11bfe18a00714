"""How much is used: of a provider, and by a project."""

from typing import Any

import falcon
from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.orm import Session

from controller.placement import allocations, providers
from controller.placement.endpoint import Endpoint, query, reply
from controller.placement.model import Allocation, Consumer
from controller.placement.versions import CONSUMER_TYPES, USAGES
from controller.web.errors import BadRequest
from controller.web.resource import version_of


def by_type(session: Session, project_id: str, user_id: str | None, asked: str | None) -> dict[str, Any]:
    """Usages and number of consumers by their type; ``asked`` is one type, "all" for one sum, or None."""
    kind: ColumnElement[str] = literal("all") if asked == "all" else Consumer.type.expression
    joined = (
        select(kind.label("kind"), Allocation.consumer_id, Allocation.resource_class, Allocation.used)
        .join(Consumer, Consumer.id == Allocation.consumer_id)
        .where(Consumer.project_id == project_id)
    )
    if user_id is not None:
        joined = joined.where(Consumer.user_id == user_id)
    if asked not in (None, "all"):
        joined = joined.where(Consumer.type == asked)
    rows = joined.subquery()
    found: dict[str, Any] = {}
    for name, count in session.execute(
        select(rows.c.kind, func.count(rows.c.consumer_id.distinct())).group_by(rows.c.kind)
    ):
        found[name] = {"consumer_count": count}
    keys = (rows.c.kind, rows.c.resource_class)
    amounts = select(*keys, func.sum(rows.c.used)).group_by(*keys)
    for name, resource_class, used in session.execute(amounts):
        found[name][resource_class] = int(used)
    return found


class ProviderUsagesApi(Endpoint):
    """/resource_providers/{uuid}/usages"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, uuid: str) -> None:
        """Every class of the provider with what is used of it."""
        self.allow(req, "placement:resource_providers:usages")
        with self.db.read() as session:
            provider = providers.get(session, uuid)
            stocks = allocations.stocks_of(session, uuid)
        shown = {name: stock.used for name, stock in stocks.items()}
        reply(req, resp, {"resource_provider_generation": provider.generation, "usages": shown})


class UsagesApi(Endpoint):
    """/usages"""

    SINCE = USAGES

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """What a project or a user of it uses, since 1.38 by type of consumer."""
        caller = self.allow(req, "placement:usages")
        params = query(req, {"project_id": None, "user_id": None, "consumer_type": CONSUMER_TYPES})
        project_id = params.get("project_id", [""])[-1]
        if not project_id:
            raise BadRequest("Invalid query string parameters: 'project_id' is a required property")
        if project_id != caller.project_id:
            self.allow(req, "placement:usages:other_projects")
        user_id = params["user_id"][-1] if "user_id" in params else None
        kind = params["consumer_type"][-1] if "consumer_type" in params else None
        with self.db.read() as session:
            if version_of(req) < CONSUMER_TYPES:
                shown: dict[str, Any] = {**allocations.usages(session, project_id, user_id)}
            else:
                shown = by_type(session, project_id, user_id, kind)
        reply(req, resp, {"usages": shown})
