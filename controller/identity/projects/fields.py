"""Every field of projects and of domains in the API."""

from typing import Any

from controller.identity.resource import (
    BOOLEAN,
    ID,
    IMMUTABLE,
    NULLABLE_ID,
    NULLABLE_TEXT,
    SHORT_NAME,
    enabled,
    links,
    store_bool,
)
from controller.web.fields import Field, Fields, View, exact
from controller.web.schema import Schema

TAG: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[^,/]*$"}
TAGS: Schema = {"type": "array", "items": TAG, "maxItems": 80, "uniqueItems": True}


def _tags(row: Any, view: View) -> list[str]:
    tags: list[str] = view.of("tags", row.id, [])
    return tags


_NAME = Field(
    name="name", schema=SHORT_NAME, create=True, update=True, required=True, filter=exact, sort=True
)
_DESCRIPTION = Field(name="description", schema=NULLABLE_TEXT, create=True, update=True, default="")
_ENABLED = Field(
    name="enabled",
    attr="is_enabled",
    schema=BOOLEAN,
    create=True,
    update=True,
    default=True,
    store=store_bool,
    filter=enabled,
)
_TAGS = Field(name="tags", show=_tags, schema=TAGS, create=True, update=True)
_OPTIONS = Field(name="options", schema=IMMUTABLE, create=True, update=True)

FIELDS = Fields(
    "project",
    "projects",
    (
        Field(name="id", filter=exact),
        _NAME,
        Field(
            name="domain_id",
            show=lambda row, _view: row.domain_id or None,
            schema=NULLABLE_ID,
            create=True,
            filter=exact,
        ),
        _DESCRIPTION,
        _ENABLED,
        Field(name="parent_id", schema=NULLABLE_ID, create=True, filter=exact),
        Field(
            name="is_domain",
            schema=BOOLEAN,
            create=True,
            default=False,
            store=store_bool,
            filter=enabled,
        ),
        _TAGS,
        _OPTIONS,
        Field(name="links", show=links("projects")),
    ),
    is_open=True,
)

DOMAIN_FIELDS = Fields(
    "domain",
    "domains",
    (
        Field(name="id", filter=exact),
        _NAME,
        _DESCRIPTION,
        _ENABLED,
        _TAGS,
        _OPTIONS,
        Field(name="explicit_domain_id", schema=ID, create=True, is_shown=False),
        Field(name="links", show=links("domains")),
    ),
    is_open=True,
)
