"""/volumes/{volume_id}/metadata: words of the user on a volume. Since 3.15 guarded by ETags."""

import hashlib
import json
from typing import Any

import falcon
from sqlalchemy.orm import Session

from controller.volume.versions import v
from controller.volume.volumes import lookup
from controller.volume.volumes.fields import METADATA
from controller.volume.volumes.update import set_metadata
from controller.web import schema
from controller.web.errors import BadRequest, NotFound, PreconditionFailed
from controller.web.resource import Resource, answer, body_of, no_content, version_of

_ALL = schema.compile_schema(
    {
        "type": "object",
        "properties": {"metadata": METADATA},
        "required": ["metadata"],
        "additionalProperties": False,
    }
)
_ONE = schema.compile_schema(
    {
        "type": "object",
        "properties": {"meta": {**METADATA, "minProperties": 1, "maxProperties": 1}},
        "required": ["meta"],
        "additionalProperties": False,
    }
)


def etag(metadata: dict[str, str]) -> str:
    """What stands for metadata in If-Match."""
    return hashlib.md5(json.dumps({"metadata": metadata}).encode(), usedforsecurity=False).hexdigest()


class _Guarded(Resource):
    def _check_etag(self, session: Session, req: falcon.Request, metadata: dict[str, str]) -> None:
        """Raises PreconditionFailed when the client changes what it has not seen."""
        given = req.get_header("If-Match")
        if version_of(req) < v("3.15") or not given or given.strip() == "*":
            return
        if etag(metadata) not in {part.strip().strip('"') for part in given.split(",")}:
            raise PreconditionFailed("The metadata was changed since: read it again.")


class Metadata(_Guarded):
    """All of it."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, volume_id: str) -> None:
        """Shows."""
        caller = self.allow(req, "volume:metadata:show")
        with self.db.read() as session:
            metadata = lookup.find(session, caller, volume_id).meta
        if version_of(req) >= v("3.15"):
            resp.set_header("Etag", etag(metadata))
        answer(resp, {"metadata": metadata})

    def on_post(self, req: falcon.Request, resp: falcon.Response, volume_id: str) -> None:
        """Adds."""
        self._set(req, resp, volume_id, is_complete=False)

    def on_put(self, req: falcon.Request, resp: falcon.Response, volume_id: str) -> None:
        """Replaces."""
        self._set(req, resp, volume_id, is_complete=True)

    def _set(self, req: falcon.Request, resp: falcon.Response, volume_id: str, is_complete: bool) -> None:
        caller = self.allow(req, "volume:metadata:update")
        given = _ALL(body_of(req))["metadata"]

        def write(session: Session) -> dict[str, str]:
            self._check_etag(session, req, lookup.find(session, caller, volume_id, lock=True).meta)
            return set_metadata(session, caller, volume_id, given, is_complete)

        answer(resp, {"metadata": self.db.write(write)})


class MetadataItem(_Guarded):
    """/volumes/{volume_id}/metadata/{key}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, volume_id: str, key: str) -> None:
        """Shows."""
        caller = self.allow(req, "volume:metadata:show")
        with self.db.read() as session:
            metadata = lookup.find(session, caller, volume_id).meta
        answer(resp, {"meta": {key: _value(volume_id, metadata, key)}})

    def on_put(self, req: falcon.Request, resp: falcon.Response, volume_id: str, key: str) -> None:
        """Sets."""
        caller = self.allow(req, "volume:metadata:update")
        given = _ONE(body_of(req))["meta"]
        if key not in given:
            raise BadRequest("Request body and URI mismatch")

        def write(session: Session) -> None:
            self._check_etag(session, req, lookup.find(session, caller, volume_id, lock=True).meta)
            set_metadata(session, caller, volume_id, given, is_complete=False)

        self.db.write(write)
        answer(resp, {"meta": given})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, volume_id: str, key: str) -> None:
        """Takes away."""
        caller = self.allow(req, "volume:metadata:delete")

        def write(session: Session) -> None:
            volume = lookup.find(session, caller, volume_id, lock=True)
            _value(volume_id, volume.meta, key)
            volume.meta = {k: value for k, value in volume.meta.items() if k != key}

        self.db.write(write)
        no_content(resp, 200)


def _value(volume_id: str, metadata: dict[str, Any], key: str) -> str:
    if key not in metadata:
        raise NotFound(f"Volume {volume_id} has no metadata with key {key}.")
    return str(metadata[key])
