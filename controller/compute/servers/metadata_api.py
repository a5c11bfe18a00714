"""/servers/{id}/metadata and its items."""

from typing import Any

import falcon

from controller.compute.servers import lookup
from controller.compute.servers.update import change_metadata, item
from controller.web import schema
from controller.web.errors import BadRequest
from controller.web.resource import Resource, answer, body_of, no_content

_CHECK = schema.compile_schema(
    {
        "type": "object",
        "required": ["metadata"],
        "additionalProperties": False,
        "properties": {"metadata": schema.METADATA},
    }
)
_CHECK_ITEM = schema.compile_schema(
    {
        "type": "object",
        "required": ["meta"],
        "additionalProperties": False,
        "properties": {"meta": {**schema.METADATA, "minProperties": 1, "maxProperties": 1}},
    }
)


class Metadata(Resource):
    """All items."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, server_id: str) -> None:
        """Shows."""
        caller = self.allow(req, "compute:servers:metadata:show")
        with self.db.read() as session:
            answer(resp, {"metadata": lookup.find(session, caller, server_id).meta})

    def on_post(self, req: falcon.Request, resp: falcon.Response, server_id: str) -> None:
        """Adds or changes items."""
        given = _CHECK(body_of(req))["metadata"]
        self._change(req, resp, server_id, lambda meta: {**meta, **given})

    def on_put(self, req: falcon.Request, resp: falcon.Response, server_id: str) -> None:
        """Replaces all."""
        given = _CHECK(body_of(req))["metadata"]
        self._change(req, resp, server_id, lambda _meta: dict(given))

    def _change(self, req: falcon.Request, resp: falcon.Response, server_id: str, change: Any) -> None:
        caller = self.allow(req, "compute:servers:metadata:change")
        answer(resp, {"metadata": self.db.write(lambda s: change_metadata(s, caller, server_id, change))})


class MetadataItem(Resource):
    """One item."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, server_id: str, key: str) -> None:
        """Shows."""
        caller = self.allow(req, "compute:servers:metadata:show")
        with self.db.read() as session:
            meta = lookup.find(session, caller, server_id).meta
        answer(resp, {"meta": {key: item(meta, key)}})

    def on_put(self, req: falcon.Request, resp: falcon.Response, server_id: str, key: str) -> None:
        """Sets."""
        caller = self.allow(req, "compute:servers:metadata:change")
        given = _CHECK_ITEM(body_of(req))["meta"]
        if set(given) != {key}:
            raise BadRequest("The body must have exactly the key that the URL names.")
        meta = self.db.write(lambda s: change_metadata(s, caller, server_id, lambda m: {**m, **given}))
        answer(resp, {"meta": {key: meta[key]}})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, server_id: str, key: str) -> None:
        """Takes away."""
        caller = self.allow(req, "compute:servers:metadata:change")

        def without(meta: dict[str, str]) -> dict[str, str]:
            item(meta, key)
            return {k: val for k, val in meta.items() if k != key}

        self.db.write(lambda s: change_metadata(s, caller, server_id, without))
        no_content(resp)
