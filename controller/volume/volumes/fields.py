"""Every field of a volume in the API, once: schema, microversions, policy, view, filters.

What a view needs beside the row is in ``View.related`` (lookup.related): "attachments" by volume id,
"types" (names) by type id.
"""

from typing import Any

from controller.volume.versions import v
from controller.web import fields, schema
from controller.web.errors import BadRequest
from controller.web.fields import Field, Fields, Show, View, micro_time_text

MAX_GIB = 2147483647
_TEXT = {"type": ["string", "null"], "maxLength": 255, "pattern": r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"}
_OPTIONAL_ID = schema.nullable(schema.UUID)
_SIZE = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": MAX_GIB},
        {"type": "string", "pattern": r"^[0-9]{1,10}$"},
        {"type": "null"},
    ]
}
KEY_PATTERN = r"^[a-zA-Z0-9-_:. /]{1,255}$"
METADATA: schema.Schema = {
    "type": "object",
    "patternProperties": {KEY_PATTERN: {"type": "string", "maxLength": 255}},
    "additionalProperties": False,
}
_ADMIN = "volume:volumes:show:admin"


def size(value: Any) -> int:
    """A size in GiB. Raises BadRequest for what no volume can have."""
    number = int(value)
    if not 1 <= number <= MAX_GIB:
        raise BadRequest(
            f"Invalid input received: Volume size '{value}' must be an integer and greater than 0."
        )
    return number


def _filtered_size(text: str) -> int:
    """A size to compare with. Raises ValueError, also for a number that no column can hold."""
    number = int(text)
    if abs(number) > MAX_GIB:
        raise ValueError(text)
    return number


def links(row: Any, view: View) -> list[dict[str, str]]:
    """self and bookmark."""
    project = view.caller.own_project or row.project_id
    return [
        {"rel": "self", "href": f"{view.base_url}/v3/{project}/volumes/{row.id}"},
        {"rel": "bookmark", "href": f"{view.base_url}/{project}/volumes/{row.id}"},
    ]


def host_name(host: str | None, backend: str) -> str | None:
    """A storage host as cinder names pools: host@backend#pool."""
    return f"{host}@{backend}#{backend}" if host else None


def metadata(row: Any, view: View) -> dict[str, str]:
    """The user's metadata, with the words that the service adds to it."""
    shown = dict(row.meta)
    if row.is_read_only is not None:
        shown["readonly"] = str(row.is_read_only)
    attached = view.of("attachments", row.id, ())
    if attached and not attached[0].is_of_compute:
        shown["attached_mode"] = attached[0].mode
    return shown


def _attachments(row: Any, view: View) -> list[dict[str, Any]]:
    sees_host = view.caller.is_admin or "service" in view.caller.roles
    return [
        {
            "id": a.volume_id,
            "attachment_id": a.id,
            "volume_id": a.volume_id,
            "server_id": a.server_id,
            "host_name": a.host if sees_host else None,
            "device": f"/dev/{a.device}" if a.device else None,
            "attached_at": micro_time_text(a.attached_at),
        }
        for a in view.of("attachments", row.id, ())
    ]


def _time(attribute: str) -> Show:
    return lambda row, _view: micro_time_text(getattr(row, attribute))


def _constant(value: Any) -> Show:
    return lambda _row, _view: value


FIELDS = Fields(
    "volume",
    "volumes",
    [
        Field(name="id", sort=True, filter=fields.exact),
        Field(name="status", sort=True, filter=fields.exact),
        Field(name="size", attr="size_gib", sort=True, filter=_filtered_size, create=True, schema=_SIZE),
        Field(name="availability_zone", sort=True, filter=fields.exact, create=True, schema=_TEXT),
        Field(name="created_at", show=_time("created_at"), sort=True),
        Field(name="updated_at", show=_time("updated_at"), sort=True),
        # the names of the API's first version are still taken; what is named in both counts by the new one
        Field(name="display_name", attr="name", is_shown=False, create=True, update=True, schema=_TEXT,
              store=str.strip, sort=True),
        Field(name="name", create=True, update=True, schema=_TEXT, store=str.strip, sort=True,
              filter=fields.exact),
        Field(name="display_description", attr="description", is_shown=False, create=True, update=True,
              schema=_TEXT, store=str.strip),
        Field(name="description", create=True, update=True, schema=_TEXT, store=str.strip),
        Field(name="volume_type", create=True, schema=_TEXT,
              show=lambda row, view: view.of("types", row.volume_type_id)),
        Field(name="snapshot_id", show=_constant(None), create=True, schema=_OPTIONAL_ID),
        Field(name="source_volid", show=_constant(None), create=True, schema=_OPTIONAL_ID),
        Field(name="metadata", attr="meta", show=metadata, create=True, update=True,
              schema=schema.nullable(METADATA)),
        Field(name="links", show=links),
        Field(name="user_id", filter=fields.exact),
        Field(name="bootable", attr="is_bootable", sort=True,
              show=lambda row, _view: str(row.is_bootable).lower()),
        Field(name="encrypted", show=_constant(False)),
        Field(name="replication_status", show=_constant(None)),
        Field(name="consistencygroup_id", show=_constant(None), create=True, schema=_OPTIONAL_ID),
        Field(name="multiattach", attr="is_multiattach", create=True,
              schema=schema.nullable(schema.LOOSE_BOOLEAN), store=schema.as_bool),
        Field(name="attachments", show=_attachments),
        Field(name="migration_status", see=_ADMIN, filter=fields.exact),
        Field(name="volume_image_metadata", show=lambda row, _view: row.image_meta or None),
        Field(name="os-vol-host-attr:host", see=_ADMIN, attr="host",
              show=lambda row, _view: host_name(row.host, row.backend)),
        Field(name="os-vol-mig-status-attr:migstat", attr="migration_status", see=_ADMIN),
        Field(name="os-vol-mig-status-attr:name_id", show=_constant(None), see=_ADMIN),
        Field(name="os-vol-tenant-attr:tenant_id", attr="project_id"),
        Field(name="project_id", is_shown=False, filter=fields.exact),
        # 3.13
        Field(name="group_id", show=_constant(None), create=True, schema=_TEXT, since=v("3.13")),
        # 3.21
        Field(name="provider_id", show=_constant(None), see=_ADMIN, since=v("3.21")),
        # 3.48: every export is a target of its own, so nothing is shared
        Field(name="shared_targets", show=_constant(False), since=v("3.48")),
        Field(name="service_uuid", show=_constant(None), since=v("3.48")),
        # 3.61
        Field(name="cluster_name", show=_constant(None), see=_ADMIN, since=v("3.61")),
        # 3.63
        Field(name="volume_type_id", since=v("3.63")),
        # 3.65: there are no volumes that quota does not count
        Field(name="consumes_quota", show=_constant(True), since=v("3.65")),
        # --- only in bodies
        Field(name="image_id", is_shown=False, create=True, schema=_TEXT),
        Field(name="imageRef", attr="image_id", is_shown=False, create=True, schema=_TEXT),
        Field(name="backup_id", is_shown=False, create=True, schema=_OPTIONAL_ID, since=v("3.47")),
    ],
)  # fmt: skip
#: What the brief list shows.
BRIEF = ("id", "name", "links")
#: What create and update do not show.
_LATER = {"volume_image_metadata"} | {f.name for f in FIELDS.fields if f.name.startswith("os-vol-")}
CREATED = tuple(f.name for f in FIELDS.fields if f.name not in _LATER)


def shown(row: Any, view: View, only: tuple[str, ...] = ()) -> dict[str, Any]:
    """A volume as the API shows it: one that was not made of an image has no image metadata at all."""
    body = FIELDS.view(row, view, only)
    if body.get("volume_image_metadata", row) is None:
        del body["volume_image_metadata"]
    return body
