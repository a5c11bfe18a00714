"""Inventories of a provider by REST: what it has of each resource class."""

from collections.abc import Mapping
from typing import Any

import falcon
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from controller.placement import providers
from controller.placement.endpoint import Endpoint, checked_body, reply
from controller.placement.model import Allocation, Inventory, Provider
from controller.placement.resource_classes import known_classes
from controller.placement.versions import ALL_RESERVED, DELETE_INVENTORIES
from controller.web.errors import BadRequest, Conflict, MethodNotAllowed, NotFound
from controller.web.resource import no_content, version_of
from controller.web.schema import Schema, compile_schema
from controller.web.versions import Version

_MAX = 0x7FFFFFFF
_DEFAULTS = {"reserved": 0, "min_unit": 1, "max_unit": _MAX, "step_size": 1, "allocation_ratio": 1.0}
_NAMES = ("total", *_DEFAULTS)
_CLASS_PATTERN = "^[A-Z0-9_]+$"
_INUSE = "placement.inventory.inuse"


def _schema(more: Schema, required: list[str]) -> Schema:
    unit = {"type": "integer", "minimum": 1, "maximum": _MAX}
    return {
        "type": "object",
        "properties": {
            "total": unit,
            "reserved": {"type": "integer", "minimum": 0, "maximum": _MAX},
            "min_unit": unit,
            "max_unit": unit,
            "step_size": unit,
            "allocation_ratio": {"type": "number", "maximum": 3.40282e38},
            **more,
        },
        "required": ["total", *required],
        "additionalProperties": False,
    }


_GENERATION: Schema = {"resource_provider_generation": {"type": "integer"}}
_ONE = compile_schema(_schema(_GENERATION, ["resource_provider_generation"]))
_NEW = compile_schema(
    _schema(
        {
            **_GENERATION,
            "resource_class": {"type": "string", "maxLength": 255, "pattern": _CLASS_PATTERN},
        },
        ["resource_class"],
    )
)
#: The body that replaces all inventories of a provider.
ALL: Schema = {
    "type": "object",
    "properties": {
        **_GENERATION,
        "inventories": {
            "type": "object",
            "patternProperties": {_CLASS_PATTERN: _schema(_GENERATION, [])},
            "additionalProperties": False,
        },
    },
    "required": ["inventories", "resource_provider_generation"],
    "additionalProperties": False,
}
_ALL = compile_schema(ALL)

Amounts = Mapping[str, Any]


def of_provider(session: Session, provider_id: str) -> list[Inventory]:
    """All inventories of a provider."""
    return list(
        session.scalars(
            select(Inventory)
            .where(Inventory.provider_id == provider_id)
            .order_by(Inventory.resource_class)
            .execution_options(populate_existing=True)
        )
    )


def put_all(
    session: Session, provider: Provider, given: Mapping[str, Amounts], version: Version
) -> list[Inventory]:
    """Replaces all inventories of a locked provider. Raises BadRequest, and Conflict for one in use."""
    _refuse_unknown(session, given)
    rows = {row.resource_class: row for row in of_provider(session, provider.id)}
    gone = set(rows) - set(given)
    _refuse_used(session, provider, gone)
    session.execute(
        delete(Inventory).where(Inventory.provider_id == provider.id, Inventory.resource_class.in_(gone))
    )
    return [
        _put(session, provider, rows.get(name), {"resource_class": name, **amounts}, version)
        for name, amounts in given.items()
    ]


def put_one(session: Session, provider: Provider, name: str, amounts: Amounts, version: Version) -> Inventory:
    """Changes one inventory of a locked provider. Raises BadRequest."""
    row = session.get(Inventory, (provider.id, name), populate_existing=True)
    if row is None:
        raise BadRequest(
            f"No inventory record with resource class for resource provider {provider.id}: {name}"
        )
    return _put(session, provider, row, {"resource_class": name, **amounts}, version)


def add_one(
    session: Session, provider_id: str, given: Amounts, version: Version
) -> tuple[Provider, Inventory]:
    """Adds an inventory. Raises NotFound, BadRequest, Conflict."""
    providers.lock(session, [provider_id])
    provider = providers.get(session, provider_id)
    _refuse_unknown(session, [given["resource_class"]])
    if session.get(Inventory, (provider_id, given["resource_class"])) is not None:
        raise Conflict(
            f"Update conflict: the provider has an inventory of {given['resource_class']} already.",
            kind=providers.CONCURRENT_UPDATE,
        )
    return provider, _put(session, provider, None, given, version)


def remove(session: Session, provider_id: str, name: str | None = None) -> None:
    """Deletes one inventory or all. Raises NotFound, and Conflict for one in use."""
    providers.lock(session, [provider_id])
    provider = providers.get(session, provider_id)
    gone = {
        row.resource_class for row in of_provider(session, provider_id) if name in (None, row.resource_class)
    }
    if name is not None and not gone:
        raise NotFound(f"No inventory of class {name} found for delete.")
    _refuse_used(session, provider, gone)
    session.execute(
        delete(Inventory).where(Inventory.provider_id == provider_id, Inventory.resource_class.in_(gone))
    )


def _put(
    session: Session, provider: Provider, row: Inventory | None, given: Amounts, version: Version
) -> Inventory:
    if row is None:
        row = Inventory(provider_id=provider.id, resource_class=given["resource_class"])
        session.add(row)
    for name, value in {**_DEFAULTS, **given}.items():
        if name in _NAMES:
            setattr(row, name, value)
    least = 0 if version >= ALL_RESERVED else 1
    if row.capacity < least:
        raise BadRequest(
            f"Invalid inventory for '{row.resource_class}' on resource provider '{provider.id}'. "
            f"The reserved value is {'greater than' if least == 0 else 'greater than or equal to'} total."
        )
    session.flush()
    return row


def _refuse_unknown(session: Session, names: Any) -> None:
    unknown = set(names) - known_classes(session, names)
    if unknown:
        raise BadRequest(f"Unknown resource class in inventory: No such resource class {sorted(unknown)[0]}.")


def _refuse_used(session: Session, provider: Provider, names: set[str]) -> None:
    used = session.scalars(
        select(Allocation.resource_class)
        .where(Allocation.provider_id == provider.id, Allocation.resource_class.in_(names))
        .distinct()
    ).all()
    if used:
        raise Conflict(
            f"update conflict: Inventory for '{', '.join(sorted(used))}' on resource provider "
            f"'{provider.id}' in use.",
            kind=_INUSE,
        )


def _shown(row: Inventory) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _NAMES}


def _shown_all(provider: Provider, rows: list[Inventory]) -> dict[str, Any]:
    shown = {row.resource_class: _shown(row) for row in rows}
    return {"resource_provider_generation": provider.generation, "inventories": shown}


def _shown_one(provider: Provider, row: Inventory) -> dict[str, Any]:
    return {**_shown(row), "resource_provider_generation": provider.generation}


class InventoriesApi(Endpoint):
    """/resource_providers/{uuid}/inventories"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, uuid: str) -> None:
        """All of the provider."""
        self.allow(req, "placement:resource_providers:inventories:list")
        with self.db.read() as session:
            provider = providers.get(session, uuid)
            rows = of_provider(session, uuid)
        reply(req, resp, _shown_all(provider, rows))

    def on_post(self, req: falcon.Request, resp: falcon.Response, uuid: str) -> None:
        """One more."""
        self.allow(req, "placement:resource_providers:inventories:create")
        body, version = checked_body(req, _NEW), version_of(req)
        provider, row = self.db.write(lambda s: add_one(s, uuid, body, version))
        reply(req, resp, _shown_one(provider, row), 201)
        resp.location = f"{req.root_path}/resource_providers/{uuid}/inventories/{row.resource_class}"

    def on_put(self, req: falcon.Request, resp: falcon.Response, uuid: str) -> None:
        """Replaces all."""
        self.allow(req, "placement:resource_providers:inventories:update")
        body, version = checked_body(req, _ALL), version_of(req)

        def verb(session: Session) -> tuple[Provider, list[Inventory]]:
            provider = providers.lock_at(session, uuid, body["resource_provider_generation"])
            return provider, put_all(session, provider, body["inventories"], version)

        reply(req, resp, _shown_all(*self.db.write(verb)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, uuid: str) -> None:
        """Deletes all."""
        self.allow(req, "placement:resource_providers:inventories:delete")
        if version_of(req) < DELETE_INVENTORIES:
            raise MethodNotAllowed("The method specified is not allowed for this resource before 1.5.")
        self.db.write(lambda s: remove(s, uuid))
        no_content(resp)


class InventoryApi(Endpoint):
    """/resource_providers/{uuid}/inventories/{resource_class}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, uuid: str, resource_class: str) -> None:
        """One of the provider."""
        self.allow(req, "placement:resource_providers:inventories:show")
        with self.db.read() as session:
            provider = providers.get(session, uuid)
            row = session.get(Inventory, (uuid, resource_class))
        if row is None:
            raise NotFound(f"No inventory of class {resource_class} for {uuid}")
        reply(req, resp, _shown_one(provider, row), modified=row.updated_at or row.created_at)

    def on_put(self, req: falcon.Request, resp: falcon.Response, uuid: str, resource_class: str) -> None:
        """Changes one."""
        self.allow(req, "placement:resource_providers:inventories:update")
        body, version = checked_body(req, _ONE), version_of(req)

        def verb(session: Session) -> tuple[Provider, Inventory]:
            provider = providers.lock_at(session, uuid, body["resource_provider_generation"])
            return provider, put_one(session, provider, resource_class, body, version)

        reply(req, resp, _shown_one(*self.db.write(verb)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, uuid: str, resource_class: str) -> None:
        """Deletes one."""
        self.allow(req, "placement:resource_providers:inventories:delete")
        self.db.write(lambda s: remove(s, uuid, resource_class))
        no_content(resp)
