"""Allocations by REST: what a consumer has, shown and replaced, for one consumer or several at once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import falcon
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from controller.placement import allocations, providers, versions
from controller.placement.endpoint import Endpoint, as_uuid, checked_body, reply
from controller.placement.model import Allocation, Consumer, Provider
from controller.placement.resource_classes import known_classes
from controller.web import schema
from controller.web.errors import BadRequest, Conflict, NotFound
from controller.web.resource import no_content, version_of
from controller.web.schema import Check, Schema
from controller.web.versions import Version

#: Owner of what was allocated before owners were asked for.
_NOBODY = "00000000-0000-0000-0000-000000000000"
_UNASKED: Any = object()


@dataclass(frozen=True)
class Wanted:
    """All that a consumer should have. ``generation`` is what the caller believes: None for a new one."""

    consumer_id: str
    resources: Mapping[str, Mapping[str, int]]
    owner: tuple[str, str]
    generation: Any = _UNASKED
    type: str | None = None


def replace(session: Session, wanted: Iterable[Wanted]) -> None:
    """Gives every consumer exactly what is wanted, all or nothing.

    Raises BadRequest for unknown providers and classes, Conflict when there is not enough or a generation
    is another one.
    """
    every = list(wanted)
    had = {w.consumer_id: allocations.of_consumer(session, w.consumer_id) for w in every}
    _lock(session, {p for w in every for p in (*w.resources, *had[w.consumer_id])})
    _refuse_unknown(session, every)
    for one in every:
        _check_generation(session, one)
    take(session, every)
    for one in every:
        _give(session, one)


def take(session: Session, wanted: Iterable[Wanted]) -> None:
    """Takes all that the consumers have; their rows stay, with their generations."""
    ids = [w.consumer_id for w in wanted]
    session.execute(delete(Allocation).where(Allocation.consumer_id.in_(ids)))


def _give(session: Session, wanted: Wanted) -> None:
    if not wanted.resources:
        allocations.release(session, wanted.consumer_id)
        return
    consumer = allocations.ensure_consumer(session, wanted.consumer_id, wanted.owner, "unknown")
    consumer.project_id, consumer.user_id = wanted.owner
    consumer.type = wanted.type or consumer.type
    for provider_id, resources in wanted.resources.items():
        stocks = allocations.stocks_of(session, provider_id, besides=wanted.consumer_id)
        for name, amount in resources.items():
            refusal = stocks[name].refusal(amount) if name in stocks else f"there is no {name}"
            if refusal:
                raise Conflict(f"Unable to allocate inventory: on provider {provider_id} {refusal}.")
        allocations.write(session, provider_id, wanted.consumer_id, resources)


def _lock(session: Session, provider_ids: set[str]) -> None:
    try:
        providers.lock(session, provider_ids)
    except NotFound as error:
        raise BadRequest(f"Allocation for resource provider that does not exist: {error.message}") from None


def _refuse_unknown(session: Session, wanted: list[Wanted]) -> None:
    names = {name for w in wanted for resources in w.resources.values() for name in resources}
    unknown = names - known_classes(session, names)
    if unknown:
        raise BadRequest(f"Unable to allocate inventory: No such resource class {sorted(unknown)[0]}.")


def _check_generation(session: Session, wanted: Wanted) -> None:
    consumer = session.get(Consumer, wanted.consumer_id, populate_existing=True)
    found = consumer.generation if consumer else None
    if wanted.generation is not _UNASKED and wanted.generation != found:
        raise Conflict(
            f"consumer generation conflict - expected {found} but got {wanted.generation}",
            kind=providers.CONCURRENT_UPDATE,
        )


# --- bodies

_RESOURCES: Schema = {
    "type": "object",
    "minProperties": 1,
    "patternProperties": {"^[A-Z0-9_]+$": {"type": "integer", "minimum": 1, "maximum": 0x7FFFFFFF}},
    "additionalProperties": False,
}
_OWNER: Schema = {"type": "string", "minLength": 1, "maxLength": 255}
_LISTED: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {
            "resource_provider": {
                "type": "object",
                "properties": {"uuid": schema.UUID},
                "required": ["uuid"],
                "additionalProperties": False,
            },
            "resources": _RESOURCES,
        },
        "required": ["resource_provider", "resources"],
        "additionalProperties": False,
    },
}
_BY_PROVIDER: Schema = {
    "type": "object",
    "patternProperties": {
        "^[0-9a-fA-F-]{36}$": {
            "type": "object",
            "properties": {"generation": {"type": "integer"}, "resources": _RESOURCES},
            "required": ["resources"],
            "additionalProperties": False,
        }
    },
    "additionalProperties": False,
}
_MAPPINGS: Schema = {
    "type": "object",
    "minProperties": 1,
    "patternProperties": {"^[a-zA-Z0-9_-]{0,64}$": {"type": "array", "minItems": 1, "items": schema.UUID}},
}
#: Names of a body: since when, its schema, whether it must be there.
_BODY: tuple[tuple[str, Version | None, Schema, bool], ...] = (
    ("project_id", versions.OWNERS, _OWNER, True),
    ("user_id", versions.OWNERS, _OWNER, True),
    ("consumer_generation", versions.CONSUMER_GENERATION, {"type": ["integer", "null"]}, True),
    ("mappings", versions.MAPPINGS, _MAPPINGS, False),
    ("consumer_type", versions.CONSUMER_TYPES, {**_OWNER, "pattern": "^[A-Z0-9_]+$"}, True),
)


def _one_schema(version: Version, may_be_empty: bool) -> Schema:
    there = [entry for entry in _BODY if entry[1] is None or version >= entry[1]]
    is_listed = version < versions.ALLOCATIONS_BY_PROVIDER
    amounts = _LISTED if is_listed else {**_BY_PROVIDER, "minProperties": 0 if may_be_empty else 1}
    return {
        "type": "object",
        "properties": {"allocations": amounts, **{name: part for name, _, part, _ in there}},
        "required": ["allocations", *(name for name, _, _, is_required in there if is_required)],
        "additionalProperties": False,
    }


def _one(version: Version) -> Schema:
    return _one_schema(version, version >= versions.CONSUMER_GENERATION)


def many_schema(version: Version) -> Schema:
    """The body of POST /allocations: by consumer."""
    return {
        "type": "object",
        "minProperties": 1,
        "patternProperties": {"^[0-9a-fA-F-]{36}$": _one_schema(version, True)},
        "additionalProperties": False,
    }


def compiled(build: Callable[[Version], Schema]) -> Callable[[Version], Check]:
    """A check for each version that a request names, compiled when it is first needed."""
    checks: dict[Version, Check] = {}

    def of(version: Version) -> Check:
        if version not in checks:
            checks[version] = schema.compile_schema(build(version))
        return checks[version]

    return of


_CHECK_ONE, CHECK_MANY = compiled(_one), compiled(many_schema)


def read_wanted(consumer_id: str, body: Mapping[str, Any]) -> Wanted:
    """A checked body as what is wanted."""
    given = body["allocations"]
    if isinstance(given, list):
        pairs = [(entry["resource_provider"]["uuid"], entry["resources"]) for entry in given]
    else:
        pairs = [(provider_id, entry["resources"]) for provider_id, entry in given.items()]
    return Wanted(
        consumer_id=as_uuid(consumer_id, "consumer_uuid"),
        resources={as_uuid(provider_id, "resource provider"): resources for provider_id, resources in pairs},
        owner=(body.get("project_id", _NOBODY), body.get("user_id", _NOBODY)),
        generation=body.get("consumer_generation", _UNASKED),
        type=body.get("consumer_type"),
    )


# --- answers


def shown(session: Session, consumer_id: str, version: Version) -> dict[str, Any]:
    """What a consumer has, as the API says it."""
    rows = session.execute(
        select(Allocation, Provider.generation)
        .join(Provider, Provider.id == Allocation.provider_id)
        .where(Allocation.consumer_id == consumer_id)
    ).all()
    found: dict[str, Any] = {}
    for row, generation in rows:
        one = found.setdefault(row.provider_id, {"resources": {}, "generation": generation})
        one["resources"][row.resource_class] = row.used
    answer: dict[str, Any] = {"allocations": found}
    consumer = session.get(Consumer, consumer_id) if found else None
    if consumer is None:
        return answer
    more = (
        ("project_id", versions.ALLOCATIONS_BY_PROVIDER, consumer.project_id),
        ("user_id", versions.ALLOCATIONS_BY_PROVIDER, consumer.user_id),
        ("consumer_generation", versions.CONSUMER_GENERATION, consumer.generation),
        ("consumer_type", versions.CONSUMER_TYPES, consumer.type),
    )
    return {**answer, **{name: value for name, since, value in more if version >= since}}


class AllocationsApi(Endpoint):
    """/allocations"""

    SINCE = versions.MANY_ALLOCATIONS

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Replaces what several consumers have, at once."""
        self.allow(req, "placement:allocations:manage")
        body = checked_body(req, CHECK_MANY(version_of(req)))
        wanted = [read_wanted(consumer_id, one) for consumer_id, one in body.items()]
        self.db.write(lambda s: replace(s, wanted))
        no_content(resp)


class ConsumerAllocationsApi(Endpoint):
    """/allocations/{consumer_uuid}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, consumer_uuid: str) -> None:
        """What the consumer has; nothing for an unknown one."""
        self.allow(req, "placement:allocations:list")
        with self.db.read() as session:
            reply(req, resp, shown(session, consumer_uuid, version_of(req)))

    def on_put(self, req: falcon.Request, resp: falcon.Response, consumer_uuid: str) -> None:
        """Replaces what the consumer has."""
        self.allow(req, "placement:allocations:update")
        as_uuid(consumer_uuid, "consumer_uuid")
        wanted = read_wanted(consumer_uuid, checked_body(req, _CHECK_ONE(version_of(req))))
        self.db.write(lambda s: replace(s, [wanted]))
        no_content(resp)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, consumer_uuid: str) -> None:
        """Gives all back."""
        self.allow(req, "placement:allocations:delete")

        def verb(session: Session) -> None:
            if not allocations.of_consumer(session, consumer_uuid):
                raise NotFound(f"No allocations for consumer '{consumer_uuid}'")
            allocations.release(session, consumer_uuid)

        self.db.write(verb)
        no_content(resp)


class ProviderAllocationsApi(Endpoint):
    """/resource_providers/{uuid}/allocations"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, uuid: str) -> None:
        """Who has what of the provider."""
        self.allow(req, "placement:resource_providers:allocations:list")
        with_generation = version_of(req) >= versions.CONSUMER_GENERATION
        with self.db.read() as session:
            provider = providers.get(session, uuid)
            rows = session.execute(
                select(Allocation, Consumer.generation)
                .join(Consumer, Consumer.id == Allocation.consumer_id)
                .where(Allocation.provider_id == uuid)
            ).all()
        found: dict[str, Any] = {}
        for row, generation in rows:
            one = found.setdefault(row.consumer_id, {"resources": {}})
            one["resources"][row.resource_class] = row.used
            if with_generation:
                one["consumer_generation"] = generation
        reply(req, resp, {"allocations": found, "resource_provider_generation": provider.generation})
