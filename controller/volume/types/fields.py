"""Every field of a volume type in the API, once."""

from typing import Any

from controller.web import schema
from controller.web.fields import Field, Fields, View

#: Extra specs that say what a volume can do, and so are for everyone; the others are for administrators.
VISIBLE_SPECS = frozenset({"RESKEY:availability_zones", "multiattach", "replication_enabled", "cacheable"})
SEES_ALL = "volume:types:extra-specs:read-all"
_DESCRIPTION = {"type": ["string", "null"], "maxLength": 255, "pattern": r"^[^\x00-\x1f\x7f]*$"}
SPECS: schema.Schema = {
    "type": "object",
    "patternProperties": {r"^[a-zA-Z0-9-_:.]{1,255}$": {"type": ["string", "null"], "maxLength": 255}},
    "additionalProperties": False,
}


def specs(row: Any, view: View) -> dict[str, Any]:
    """The extra specs that the caller may see."""
    if view.policy.allows(view.caller, SEES_ALL):
        return dict(row.extra_specs)
    return {k: value for k, value in row.extra_specs.items() if k in VISIBLE_SPECS}


FIELDS = Fields(
    "volume_type",
    "volume_types",
    [
        Field(name="id", sort=True),
        Field(
            name="name",
            schema=schema.NAME,
            create=True,
            required=True,
            update=True,
            sort=True,
            store=str.strip,
        ),
        Field(name="is_public", update=True, schema=schema.LOOSE_BOOLEAN, store=schema.as_bool),
        Field(name="description", schema=_DESCRIPTION, create=True, update=True, sort=True),
        Field(name="extra_specs", schema=SPECS, create=True, default=dict, show=specs),
        Field(name="qos_specs_id", show=lambda _row, _view: None, see=SEES_ALL),
        Field(
            name="os-volume-type-access:is_public",
            attr="is_public",
            schema=schema.LOOSE_BOOLEAN,
            create=True,
            default=True,
            store=schema.as_bool,
        ),
        Field(name="created_at", is_shown=False, sort=True),
    ],
)
#: What a create answers, and what an update.
CREATED = ("id", "name", "is_public", "description", "extra_specs", "os-volume-type-access:is_public")
UPDATED = ("id", "name", "is_public", "description", "extra_specs")
