"""Every field of a trunk in the API, and the bodies of its subports."""

from typing import Any

from controller.network.standard import ADMIN_STATE, NAME, STANDARD_FIELDS
from controller.web import schema
from controller.web.fields import Field, Fields, View, exact

#: Most subports in one request, and of one trunk: there are no more tags.
MOST_SUBPORTS = 4094

SUB_PORTS: schema.Schema = {
    "type": "array",
    "maxItems": MOST_SUBPORTS,
    "items": {
        "type": "object",
        "properties": {
            "port_id": schema.UUID,
            "segmentation_type": {"enum": ["vlan", "inherit"]},
            "segmentation_id": schema.nullable(schema.integer(1, MOST_SUBPORTS)),
        },
        "required": ["port_id"],
        "additionalProperties": False,
    },
}


def _sub_ports(row: Any, view: View) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = view.of("sub_ports", row.id, [])
    return found


def _status(row: Any, view: View) -> str:
    """That of its ports: nothing of a trunk is anywhere else."""
    states: list[tuple[str, bool]] = view.of("states", row.id, [])
    if not states or not all(is_bound for _, is_bound in states):
        return "DOWN"
    return "ACTIVE" if all(status == "ACTIVE" for status, _ in states) else "BUILD"


TRUNK = Fields(
    "trunk",
    "trunks",
    [
        Field(name="id", filter=exact, sort=True),
        NAME,
        ADMIN_STATE,
        Field(name="port_id", schema=schema.UUID, create=True, required=True, filter=exact, sort=True),
        Field(name="status", show=_status),
        Field(name="sub_ports", schema=SUB_PORTS, create=True, default=list, show=_sub_ports),
        *STANDARD_FIELDS,
    ],
)
