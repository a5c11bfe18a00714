"""Resource providers by REST."""

from typing import Any

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db.columns import new_uuid
from controller.placement import providers, versions
from controller.placement.endpoint import Endpoint, as_uuid, checked_body, date, query, reply
from controller.placement.model import Provider
from controller.placement.selection import narrow, read_wish, refuse_unknown
from controller.web.errors import BadRequest
from controller.web.fields import Field, Fields, View
from controller.web.resource import no_content, version_of
from controller.web.schema import UUID, nullable
from controller.web.versions import Version

_LINKS: dict[str, Version | None] = {
    "inventories": None,
    "usages": None,
    "aggregates": versions.AGGREGATES,
    "traits": versions.TRAITS,
    "allocations": versions.ALLOCATIONS_LINK,
}
_FILTERS: dict[str, Version | None] = {
    "name": None,
    "uuid": None,
    "member_of": versions.MEMBER_OF,
    "resources": versions.RESOURCES_FILTER,
    "in_tree": versions.TREES,
    "required": versions.REQUIRED,
}


def _links(row: Any, view: View) -> list[dict[str, str]]:
    url = f"{view.base_url}/resource_providers/{row.id}"
    there = [name for name, since in _LINKS.items() if since is None or view.version >= since]
    return [{"rel": "self", "href": url}, *({"rel": name, "href": f"{url}/{name}"} for name in there)]


FIELDS = Fields(
    "resource_provider",
    "resource_providers",
    [
        Field(name="uuid", attr="id", schema=UUID, create=True, default=new_uuid),
        Field(
            name="name",
            schema={"type": "string", "maxLength": 200},
            create=True,
            update=True,
            required=True,
        ),
        Field(name="generation"),
        Field(name="links", show=_links),
        Field(
            name="parent_provider_uuid",
            attr="parent_id",
            schema=nullable(UUID),
            create=True,
            update=True,
            since=versions.TREES,
        ),
        Field(name="root_provider_uuid", attr="root_id", since=versions.TREES),
    ],
)


def found(session: Session, params: dict[str, list[str]], version: Version) -> list[Any]:
    """Providers that the query asks for, by name. Raises BadRequest."""
    statement = select(Provider).order_by(Provider.name)
    if "name" in params:
        statement = statement.where(Provider.name == params["name"][-1])
    if "uuid" in params:
        statement = statement.where(Provider.id == as_uuid(params["uuid"][-1], "uuid"))
    if "resources" in params and not params["resources"][-1].strip():
        raise BadRequest("Badly formed resources parameter: empty string.")
    wish = read_wish(params, version)
    refuse_unknown(session, wish)
    return list(session.scalars(narrow(statement, wish)))


def updated(session: Session, provider_id: str, values: dict[str, Any], version: Version) -> Provider:
    """Renames a provider, and moves it in the tree when the body says where to."""
    provider = providers.get(session, provider_id)
    providers.rename(session, provider, values["name"])
    if "parent_id" in values:
        providers.move(session, provider, values["parent_id"], version >= versions.REPARENTING)
    return provider


class ProvidersApi(Endpoint):
    """/resource_providers"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Providers that fulfil what the query asks."""
        self.allow(req, "placement:resource_providers:list")
        params = query(req, _FILTERS)
        with self.db.read() as session:
            rows = found(session, params, version_of(req))
        reply(req, resp, FIELDS.many(rows, self.view(req)))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """A new provider: empty 201, since 1.20 a 200 that shows it."""
        caller = self.allow(req, "placement:resource_providers:create")
        version = version_of(req)
        body = checked_body(req, lambda given: FIELDS.check("create", given, version))
        values = FIELDS.values("create", body, caller, self.cloud.policy, version)
        uuid, parent_id = as_uuid(values["id"], "uuid"), values.get("parent_id")
        row = self.db.write(lambda s: providers.create(s, uuid, values["name"], parent_id))
        if version >= versions.PROVIDER_BODY:
            reply(req, resp, FIELDS.view(row, self.view(req)))
        else:
            no_content(resp, 201)
            resp.content_type = None
            date(req, resp)
        resp.location = f"{req.root_path}/resource_providers/{row.id}"


class ProviderApi(Endpoint):
    """/resource_providers/{uuid}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, uuid: str) -> None:
        """One provider."""
        self.allow(req, "placement:resource_providers:show")
        with self.db.read() as session:
            row = providers.get(session, uuid)
        reply(req, resp, FIELDS.view(row, self.view(req)), modified=row.updated_at or row.created_at)

    def on_put(self, req: falcon.Request, resp: falcon.Response, uuid: str) -> None:
        """Another name or parent."""
        caller = self.allow(req, "placement:resource_providers:update")
        version = version_of(req)
        body = checked_body(req, lambda given: FIELDS.check("update", given, version))
        if "name" not in body:
            raise BadRequest("JSON does not validate: 'name' is a required property")
        values = FIELDS.values("update", body, caller, self.cloud.policy, version)
        row = self.db.write(lambda s: updated(s, uuid, values, version))
        reply(req, resp, FIELDS.view(row, self.view(req)), modified=row.updated_at)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, uuid: str) -> None:
        """Deletes it, when nothing of it is used."""
        self.allow(req, "placement:resource_providers:delete")
        self.db.write(lambda s: providers.remove(s, uuid))
        no_content(resp)
