"""/volumes, /volumes/detail, /volumes/summary and /volumes/{volume_id}."""

from typing import Any

import falcon
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from controller.volume.versions import require, v
from controller.volume.volumes import listing, lookup
from controller.volume.volumes.create import Wish, create
from controller.volume.volumes.delete import delete
from controller.volume.volumes.fields import BRIEF, CREATED, FIELDS, shown, size
from controller.volume.volumes.model import Volume
from controller.volume.volumes.update import update
from controller.web import paging, schema
from controller.web.caller import Caller
from controller.web.errors import BadRequest, not_found
from controller.web.resource import Resource, answer, base_url, body_of, no_content, params_of, version_of
from controller.web.versions import Version


class Volumes(Resource):
    """/volumes"""

    PATH = "/volumes"
    ONLY: tuple[str, ...] = BRIEF

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists, brief."""
        caller = self.allow(req, "volume:volumes:list")
        params = params_of(req)
        with self.db.read() as session:
            rows, has_more, count = listing.listed(session, caller, params, version_of(req))
            related = lookup.related(session, rows) if not self.ONLY else {}
        view = self.view(req, related)
        body: dict[str, Any] = {"volumes": [shown(row, view, self.ONLY) for row in rows]}
        if has_more and rows:
            url = f"{base_url(req)}/v3/{caller.own_project}{self.PATH}"
            body["volumes_links"] = [{"rel": "next", "href": paging.next_url(url, params, rows[-1].id)}]
        if count is not None:
            body["count"] = count
        answer(resp, body)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates."""
        caller = self.allow(req, "volume:volumes:create")
        inner = _inner(body_of(req), version_of(req))
        wish = _wish(FIELDS.body("create", {"volume": inner}, caller, self.cloud.policy, version_of(req)))

        def write(session: Session) -> tuple[Volume, Any]:
            volume = create(session, caller, wish)
            return volume, lookup.related(session, [volume])

        volume, related = self.db.write(write)
        answer(resp, {"volume": shown(volume, self.view(req, related), CREATED)}, 202)


class VolumesDetail(Volumes):
    """/volumes/detail"""

    PATH = "/volumes/detail"
    ONLY = ()
    on_post = None  # type: ignore[assignment]


class VolumeItem(Resource):
    """/volumes/{volume_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, volume_id: str) -> None:
        """Shows."""
        caller = self.allow(req, "volume:volumes:show")
        with self.db.read() as session:
            volume = lookup.find(session, caller, volume_id)
            related = lookup.related(session, [volume])
        answer(resp, {"volume": shown(volume, self.view(req, related))})

    def on_put(self, req: falcon.Request, resp: falcon.Response, volume_id: str) -> None:
        """Changes name, description or metadata."""
        caller = self.allow(req, "volume:volumes:update")
        values = FIELDS.body("update", body_of(req), caller, self.cloud.policy, version_of(req))
        if not values and version_of(req) >= v("3.53"):
            raise BadRequest("Nothing to change: name, description or metadata must be given.")

        def write(session: Session) -> tuple[Volume, Any]:
            volume = update(session, caller, volume_id, values)
            return volume, lookup.related(session, [volume])

        volume, related = self.db.write(write)
        answer(resp, {"volume": shown(volume, self.view(req, related), CREATED)})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, volume_id: str) -> None:
        """Begins to delete. There is nothing that ``cascade`` would take along."""
        caller = self.allow(req, "volume:volumes:delete")
        params = params_of(req)
        _flag(params, "cascade")
        is_forced = _flag(params, "force") and version_of(req) >= v("3.23")
        if is_forced:
            self.allow(req, "volume:volumes:force-delete")
        self.db.write(lambda s: delete(s, caller, volume_id, is_forced))
        no_content(resp, 202)


class Summary(Resource):
    """/volumes/summary"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """How many volumes there are, how big together, and all their metadata (3.36)."""
        caller = self.allow(req, "volume:volumes:list")
        version = version_of(req)
        require(version, "3.12")
        with self.db.read() as session:
            body = _summary(session, caller, listing.is_all(params_of(req)) and caller.is_admin)
        if version < v("3.36"):
            del body["metadata"]
        answer(resp, {"volume-summary": body})


def _summary(session: Session, caller: Caller, is_all: bool) -> dict[str, Any]:
    mine = [~Volume.is_deleted] if is_all else [~Volume.is_deleted, Volume.project_id == caller.own_project]
    count, total = session.execute(
        select(func.count(), func.coalesce(func.sum(Volume.size_gib), 0)).where(*mine)
    ).one()
    values: dict[str, set[str]] = {}
    for meta in session.scalars(select(Volume.meta).where(*mine)):
        for key, value in meta.items():
            values.setdefault(key, set()).add(value)
    metadata = {key: sorted(found) for key, found in values.items()}
    return {"total_count": count, "total_size": int(total), "metadata": metadata}


def _inner(body: Any, version: Version) -> Any:
    """The inside of a create body. Hints to a scheduler that has none to obey are left aside; before 3.53
    so are names that are not known."""
    if not isinstance(body, dict) or not isinstance(body.get("volume"), dict):
        raise BadRequest("The body must be an object 'volume'.")
    unknown = set(body) - {"volume", "OS-SCH-HNT:scheduler_hints"}
    if unknown:
        raise BadRequest(f"Additional properties are not allowed ({', '.join(map(repr, sorted(unknown)))}).")
    inner = body["volume"]
    if version < v("3.53"):
        return {k: value for k, value in inner.items() if _is_known(k, version)}
    return inner


def _is_known(name: str, version: Version) -> bool:
    field = FIELDS.by_name.get(name)
    return field is not None and field.is_taken_by("create", version)


#: Columns that are stored as they are given; those with a rule are read by name.
_STORED = frozenset(Volume.__table__.columns.keys()) - {"size_gib", "availability_zone", "is_multiattach"}
#: Sources that are not offered here: what they name cannot exist.
_SOURCES = {
    "snapshot_id": "Snapshot",
    "backup_id": "Backup",
    "consistencygroup_id": "Group",
    "group_id": "Group",
    "source_volid": "Volume",
}


def _wish(values: dict[str, Any]) -> Wish:
    for name, what in _SOURCES.items():
        if values.get(name):
            raise not_found(what, values[name])
    if values.get("is_multiattach"):
        raise BadRequest("multiattach is a property of volume types: name a type that has it.")
    if values.get("size_gib") is None:
        raise BadRequest("Invalid input received: Volume size 'None' must be an integer and greater than 0.")
    return Wish(
        size_gib=size(values["size_gib"]),
        volume_type=values.get("volume_type"),
        image_id=values.get("image_id"),
        availability_zone=values.get("availability_zone"),
        stored={n: value for n, value in values.items() if n in _STORED and value is not None},
    )


def _flag(params: dict[str, list[str]], name: str) -> bool:
    text = params.get(name, ["false"])[0]
    if text.lower() not in ("true", "false", "1", "0", "t", "f", "yes", "no", "on", "off", "y", "n"):
        raise BadRequest(f"Invalid value '{text}' for {name}. It should be a boolean.")
    return schema.as_bool(text.lower())
