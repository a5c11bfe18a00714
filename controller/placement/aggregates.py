"""Aggregates of a provider: ids without any other content."""

from typing import Any

import falcon
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from controller.placement import providers
from controller.placement.endpoint import Endpoint, as_uuid, checked_body, reply
from controller.placement.model import Provider, ProviderAggregate
from controller.placement.versions import AGGREGATE_GENERATION, AGGREGATES
from controller.web.resource import version_of
from controller.web.schema import UUID, Schema, compile_schema

_LIST: Schema = {"type": "array", "items": UUID, "uniqueItems": True}
_BARE = compile_schema(_LIST)
_WITH_GENERATION = compile_schema(
    {
        "type": "object",
        "properties": {"aggregates": _LIST, "resource_provider_generation": {"type": "integer"}},
        "required": ["aggregates", "resource_provider_generation"],
        "additionalProperties": False,
    }
)


def of_provider(session: Session, provider_id: str) -> list[str]:
    """Aggregates that the provider is in."""
    return list(
        session.scalars(
            select(ProviderAggregate.aggregate_id)
            .where(ProviderAggregate.provider_id == provider_id)
            .order_by(ProviderAggregate.aggregate_id)
        )
    )


def set_aggregates(
    session: Session, provider_id: str, aggregate_ids: list[str], generation: int | None
) -> Provider:
    """Replaces them. Without ``generation`` the provider's stays as it is. Raises NotFound, Conflict."""
    if generation is None:
        provider = providers.get(session, provider_id)
    else:
        provider = providers.lock_at(session, provider_id, generation)
    session.execute(delete(ProviderAggregate).where(ProviderAggregate.provider_id == provider_id))
    if aggregate_ids:
        session.execute(
            insert(ProviderAggregate),
            [{"provider_id": provider_id, "aggregate_id": a} for a in aggregate_ids],
        )
    return provider


class AggregatesApi(Endpoint):
    """/resource_providers/{uuid}/aggregates"""

    SINCE = AGGREGATES

    def on_get(self, req: falcon.Request, resp: falcon.Response, uuid: str) -> None:
        """The provider's aggregates."""
        self.allow(req, "placement:resource_providers:aggregates:list")
        with self.db.read() as session:
            provider = providers.get(session, uuid)
            found = of_provider(session, uuid)
        reply(req, resp, _shown(req, provider, found))

    def on_put(self, req: falcon.Request, resp: falcon.Response, uuid: str) -> None:
        """Replaces them."""
        self.allow(req, "placement:resource_providers:aggregates:update")
        if version_of(req) >= AGGREGATE_GENERATION:
            body = checked_body(req, _WITH_GENERATION)
            given, generation = body["aggregates"], body["resource_provider_generation"]
        else:
            given, generation = checked_body(req, _BARE), None
        wanted = sorted({as_uuid(text, "aggregate") for text in given})
        provider = self.db.write(lambda s: set_aggregates(s, uuid, wanted, generation))
        reply(req, resp, _shown(req, provider, wanted))


def _shown(req: falcon.Request, provider: Provider, aggregate_ids: list[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"aggregates": aggregate_ids}
    if version_of(req) >= AGGREGATE_GENERATION:
        shown["resource_provider_generation"] = provider.generation
    return shown
