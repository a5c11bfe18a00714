"""Every field of an image in the API; the schemas under /v2/schemas are made from this table."""

from collections.abc import Sequence
from typing import Any

from oslo_config import cfg

from controller.db.columns import new_uuid
from controller.image.images import states
from controller.image.options import MAX_INTEGER
from controller.web.fields import Field, Fields, View, exact, number, time_text
from controller.web.schema import Schema

_UUID_PATTERN = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
VISIBILITIES = ("community", "public", "private", "shared")


def _text(description: str, length: int = 255, **more: Any) -> Schema:
    return {"type": ["null", "string"], "maxLength": length, "description": description, **more}


def _count(description: str) -> Schema:
    return {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER, "description": description}


def _format(description: str, formats: Sequence[str]) -> Schema:
    return {"type": ["null", "string"], "enum": [None, *formats], "description": description}


def _shown_tags(row: Any, view: View) -> list[str]:
    tags: list[str] = view.of("tags", row.id, [])
    return tags


def _url(description: str) -> Schema:
    return {"type": "string", "description": description}


def _identity(conf: cfg.ConfigOpts) -> list[Field]:
    word = {"type": "string"}
    return [
        Field(
            name="id",
            schema={**word, "pattern": _UUID_PATTERN, "description": "Identifier of the image."},
            create=True,
            default=new_uuid,
            filter=exact,
            sort=True,
        ),
        Field(
            name="name",
            schema=_text("Name for people; need not be unique."),
            create=True,
            update=True,
            filter=exact,
            sort=True,
        ),
        Field(
            name="status",
            schema={**word, "enum": list(states.ALL), "description": "What can be done with it now."},
            filter=exact,
            sort=True,
        ),
        Field(
            name="visibility",
            schema={**word, "enum": list(VISIBILITIES), "description": "Who may see and use it."},
            create=True,
            update=True,
            default="shared",
        ),
        Field(
            name="owner",
            schema=_text("Project that it belongs to."),
            create=True,
            update=True,
            filter=exact,
        ),
        Field(
            name="protected",
            schema={"type": "boolean", "description": "Whether it is kept from deletion."},
            create=True,
            update=True,
            default=False,
        ),
        Field(
            name="os_hidden",
            schema={"type": "boolean", "description": "Whether lists leave it out unless asked."},
            create=True,
            update=True,
            default=False,
        ),
    ]


def _content(conf: cfg.ConfigOpts) -> list[Field]:
    return [
        Field(
            name="disk_format",
            schema=_format("Format of the disk inside.", conf.image.disk_formats),
            create=True,
            update=True,
            filter=exact,
            sort=True,
        ),
        Field(
            name="container_format",
            schema=_format("What is around the disk.", conf.image.container_formats),
            create=True,
            update=True,
            filter=exact,
            sort=True,
        ),
        Field(
            name="min_ram",
            schema=_count("MiB of memory that a server from it needs."),
            create=True,
            update=True,
            default=0,
            filter=number,
        ),
        Field(
            name="min_disk",
            schema=_count("GiB of disk that a server from it needs."),
            create=True,
            update=True,
            default=0,
            filter=number,
        ),
        Field(
            name="size",
            schema={"type": ["null", "integer"], "description": "Bytes of its data."},
            filter=number,
            sort=True,
        ),
        Field(
            name="virtual_size",
            schema={"type": ["null", "integer"], "description": "Bytes of the disk that a server sees."},
            filter=number,
        ),
        Field(name="checksum", schema=_text("MD5 of its data.", 32), filter=exact),
        Field(name="os_hash_algo", schema=_text("Name of the algorithm of os_hash_value.", 64)),
        Field(name="os_hash_value", schema=_text("Hash of its data.", 128), filter=exact),
    ]


def _times_and_links() -> list[Field]:
    return [
        Field(
            name="created_at",
            schema={"type": "string", "description": "When it was made."},
            show=lambda row, _view: time_text(row.created_at),
            sort=True,
        ),
        Field(
            name="updated_at",
            schema={"type": "string", "description": "When it was changed last."},
            show=lambda row, _view: time_text(row.updated_at or row.created_at),
            sort=True,
        ),
        Field(
            name="tags",
            schema={
                "type": "array",
                "items": {"type": "string", "maxLength": 255},
                "description": "Words by which it is found.",
            },
            show=_shown_tags,
            create=True,
            update=True,
            default=list,
        ),
        Field(
            name="self",
            schema=_url("Its URL."),
            show=lambda row, _view: f"/v2/images/{row.id}",
        ),
        Field(
            name="file",
            schema=_url("URL of its data."),
            show=lambda row, _view: f"/v2/images/{row.id}/file",
        ),
        Field(name="schema", schema=_url("URL of the schema."), show=lambda _row, _view: "/v2/schemas/image"),
    ]


def fields_of(conf: cfg.ConfigOpts) -> Fields:
    """The table, with the formats that the options allow."""
    every = [*_identity(conf), *_content(conf), *_times_and_links()]
    return Fields("image", "images", every, is_open=True)


def _word(description: str) -> Schema:
    return {"type": "string", "description": description, "is_base": False}


#: Properties with a meaning. They are kept as any other property, but have a type.
PROPERTIES: dict[str, Schema] = {
    "kernel_id": {
        "type": ["null", "string"],
        "pattern": _UUID_PATTERN,
        "description": "Image with the kernel to boot.",
        "is_base": False,
    },
    "ramdisk_id": {
        "type": ["null", "string"],
        "pattern": _UUID_PATTERN,
        "description": "Image with the initial ramdisk to boot.",
        "is_base": False,
    },
    "instance_uuid": _word("Server that it was made from."),
    "architecture": _word("CPU architecture that it needs."),
    "os_distro": _word("Distribution inside, in lower case."),
    "os_version": _word("Version of the distribution."),
    "description": _word("Text for people."),
}

#: Names that no body may set.
READ_ONLY = frozenset(
    {
        "created_at",
        "updated_at",
        "status",
        "checksum",
        "size",
        "virtual_size",
        "direct_url",
        "self",
        "file",
        "schema",
        "stores",
        "os_hash_algo",
        "os_hash_value",
    }
)
RESERVED = frozenset({"location", "locations", "deleted", "deleted_at"})
RESERVED_PREFIX = "os_glance"


def body_schema(fields: Fields, verb: str) -> Schema:
    """The schema of a body: known names as in the tables, any other one a string."""
    known = fields.body_schema(verb)
    return {
        **known,
        "properties": {**known["properties"], **PROPERTIES},
        "additionalProperties": {"type": "string"},
    }


def public_schema(fields: Fields) -> Schema:
    """The schema of an image as /v2/schemas/image tells it."""
    shown: dict[str, Schema] = {}
    for f in fields.fields:
        is_fixed = not (f.create or f.update)
        shown[f.name] = {**(f.schema or {}), **({"readOnly": True} if is_fixed else {})}
    return {
        "name": "image",
        "properties": {**shown, **PROPERTIES},
        "additionalProperties": {"type": "string"},
        "links": [
            {"rel": "self", "href": "{self}"},
            {"rel": "enclosure", "href": "{file}"},
            {"rel": "describedby", "href": "{schema}"},
        ],
    }
