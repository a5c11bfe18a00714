"""/types and what hangs below: extra specs and access."""

from typing import Any

import falcon
from sqlalchemy import Select

from controller.volume.types import lookup, verbs
from controller.volume.types.fields import CREATED, FIELDS, SPECS, UPDATED, specs
from controller.volume.types.model import VolumeType
from controller.web import paging, schema
from controller.web.caller import Caller
from controller.web.errors import BadRequest, NotFound
from controller.web.fields import boolean
from controller.web.resource import (
    Resource,
    answer,
    base_url,
    body_of,
    no_content,
    params_of,
    version_of,
)

_SPECS = schema.compile_schema(
    {
        "type": "object",
        "properties": {"extra_specs": SPECS},
        "required": ["extra_specs"],
        "additionalProperties": False,
    }
)
_SPEC = schema.compile_schema({**SPECS, "minProperties": 1, "maxProperties": 1})
_PROJECT: schema.Schema = {
    "type": "object",
    "properties": {"project": {"type": "string", "minLength": 1, "maxLength": 64}},
    "required": ["project"],
    "additionalProperties": False,
}
_ACCESS = schema.compile_schema(
    {
        "type": "object",
        "properties": {"addProjectAccess": _PROJECT, "removeProjectAccess": _PROJECT},
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
)


class Types(Resource):
    """/types"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists those that the caller may use; administrators also the private ones."""
        caller = self.allow(req, "volume:types:list")
        params = params_of(req)
        page = paging.asked(params, [("created_at", False)], max_limit=1000)
        with self.db.read() as session:
            if page.marker is not None:
                lookup.find(session, caller, page.marker)
            statement = _narrowed(caller, params)
            rows = session.scalars(paging.apply_page(session, statement, VolumeType, FIELDS, page)).all()
        shown, has_more = paging.cut(rows, page)
        body = FIELDS.many(shown, self.view(req))
        if has_more and shown:
            url = f"{base_url(req)}/v3/{caller.own_project}/types"
            body["volume_type_links"] = [{"rel": "next", "href": paging.next_url(url, params, shown[-1].id)}]
        answer(resp, body)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates."""
        caller = self.allow(req, "volume:types:create")
        values = FIELDS.body("create", body_of(req), caller, self.cloud.policy, version_of(req))
        volume_type = self.db.write(lambda s: verbs.create(s, values))
        answer(resp, {"volume_type": FIELDS.view(volume_type, self.view(req), CREATED)})


class Type(Resource):
    """/types/{type_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, type_id: str) -> None:
        """Shows; "default" is the default type."""
        caller = self.allow(req, "volume:types:show")
        with self.db.read() as session:
            volume_type = lookup.find(session, caller, type_id)
        answer(resp, FIELDS.one(volume_type, self.view(req)))

    def on_put(self, req: falcon.Request, resp: falcon.Response, type_id: str) -> None:
        """Changes."""
        caller = self.allow(req, "volume:types:update")
        body = _without_nulls(body_of(req))
        values = FIELDS.body("update", body, caller, self.cloud.policy, version_of(req))
        if not values:
            raise BadRequest("Specify volume type name, description, is_public or a combination thereof.")
        volume_type = self.db.write(lambda s: verbs.update(s, caller, type_id, values))
        answer(resp, {"volume_type": FIELDS.view(volume_type, self.view(req), UPDATED)})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, type_id: str) -> None:
        """Deletes."""
        caller = self.allow(req, "volume:types:delete")
        self.db.write(lambda s: verbs.delete(s, caller, type_id))
        no_content(resp, 202)


class ExtraSpecs(Resource):
    """/types/{type_id}/extra_specs"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, type_id: str) -> None:
        """Lists."""
        caller = self.allow(req, "volume:types:extra-specs:list")
        with self.db.read() as session:
            volume_type = lookup.find(session, caller, type_id)
        answer(resp, {"extra_specs": specs(volume_type, self.view(req))})

    def on_post(self, req: falcon.Request, resp: falcon.Response, type_id: str) -> None:
        """Adds or changes some."""
        caller = self.allow(req, "volume:types:extra-specs:set")
        given = _SPECS(body_of(req))
        self.db.write(lambda s: verbs.set_specs(s, caller, type_id, given["extra_specs"]))
        answer(resp, given)


class ExtraSpec(Resource):
    """/types/{type_id}/extra_specs/{key}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, type_id: str, key: str) -> None:
        """Shows."""
        caller = self.allow(req, "volume:types:extra-specs:list")
        with self.db.read() as session:
            shown = specs(lookup.find(session, caller, type_id), self.view(req))
        if key not in shown:
            raise NotFound(f"Volume Type {type_id} has no extra specs with key {key}.")
        answer(resp, {key: shown[key]})

    def on_put(self, req: falcon.Request, resp: falcon.Response, type_id: str, key: str) -> None:
        """Sets."""
        caller = self.allow(req, "volume:types:extra-specs:set")
        given = _SPEC(body_of(req))
        if key not in given:
            raise BadRequest("Request body and URI mismatch")
        self.db.write(lambda s: verbs.set_specs(s, caller, type_id, given))
        answer(resp, given)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, type_id: str, key: str) -> None:
        """Takes away."""
        caller = self.allow(req, "volume:types:extra-specs:set")
        self.db.write(lambda s: verbs.remove_spec(s, caller, type_id, key))
        no_content(resp, 202)


class Access(Resource):
    """/types/{type_id}/os-volume-type-access"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, type_id: str) -> None:
        """Lists."""
        caller = self.allow(req, "volume:types:access:list")
        with self.db.read() as session:
            projects = verbs.projects(session, caller, type_id)
        rows = [{"volume_type_id": type_id, "project_id": project} for project in projects]
        answer(resp, {"volume_type_access": rows})


class TypeAction(Resource):
    """/types/{type_id}/action"""

    def on_post(self, req: falcon.Request, resp: falcon.Response, type_id: str) -> None:
        """addProjectAccess or removeProjectAccess."""
        caller = self.allow(req, "volume:types:access:set")
        ((word, given),) = _ACCESS(body_of(req)).items()
        verb = verbs.give if word == "addProjectAccess" else verbs.take
        self.db.write(lambda s: verb(s, caller, type_id, given["project"]))
        no_content(resp, 202)


def _narrowed(caller: Caller, params: dict[str, list[str]]) -> Select[tuple[VolumeType]]:
    """Administrators choose by ``is_public``: true if not said, "none" for all."""
    statement = lookup.visible(caller)
    text = params.get("is_public", [""])[0]
    if not caller.is_admin or text.lower() == "none":
        return statement
    try:
        return statement.where(VolumeType.is_public == boolean(text or "true"))
    except ValueError:
        raise BadRequest(f"Invalid is_public filter [{text}]: it must be a boolean or none.") from None


def _without_nulls(body: Any) -> Any:
    """Null means "not said" in an update."""
    inner = body.get("volume_type") if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        return body
    return {**body, "volume_type": {k: value for k, value in inner.items() if value is not None}}
