"""Every field of a router in the API."""

from typing import Any

from controller.network.standard import ADMIN_STATE, NAME, STANDARD_FIELDS
from controller.web import schema
from controller.web.fields import Field, Fields, View, exact

KIND_OF_CARRIER = "network:router:carrier"

_IP: schema.Schema = {"type": "string", "maxLength": 64}
_FIXED_IPS: schema.Schema = {
    "type": "array",
    "maxItems": 64,
    "items": {
        "type": "object",
        "properties": {"subnet_id": schema.UUID, "ip_address": _IP},
        "minProperties": 1,
        "additionalProperties": False,
    },
}
_GATEWAY: schema.Schema = {
    "anyOf": [
        {"type": "null"},
        {"type": "object", "maxProperties": 0},
        {
            "type": "object",
            "properties": {
                "network_id": schema.UUID,
                "enable_snat": schema.LOOSE_BOOLEAN,
                "external_fixed_ips": _FIXED_IPS,
                "qos_policy_id": schema.nullable(schema.UUID),
            },
            "required": ["network_id"],
            "additionalProperties": False,
        },
    ]
}
ROUTES: schema.Schema = {
    "type": "array",
    "maxItems": 256,
    "items": {
        "type": "object",
        "properties": {"destination": _IP, "nexthop": _IP},
        "required": ["destination", "nexthop"],
        "additionalProperties": False,
    },
}


def _gateway(row: Any, view: View) -> dict[str, Any] | None:
    found = view.of("gateways", row.id)
    if found is None:
        return None
    return {**found, "enable_snat": row.is_snat, "qos_policy_id": row.qos_policy_id}


def _zones(row: Any, view: View) -> list[str]:
    return view.of("options", "zones", []) if row.host else []


ROUTER = Fields(
    "router",
    "routers",
    [
        Field(name="id", filter=exact, sort=True),
        NAME,
        ADMIN_STATE,
        Field(name="status", filter=exact, sort=True),
        Field(
            name="external_gateway_info",
            attr="gateway",
            schema=_GATEWAY,
            create=True,
            update=True,
            default=None,
            show=_gateway,
        ),
        Field(name="routes", schema=schema.nullable(ROUTES), update=True),
        Field(
            name="availability_zone_hints",
            schema={"type": "array", "items": {"type": "string", "maxLength": 255}, "maxItems": 10},
            create=True,
            default=list,
        ),
        Field(name="availability_zones", show=_zones),
        # administrators' tools look at these two; a router is neither
        Field(name="distributed", show=lambda _row, _view: False, see=KIND_OF_CARRIER),
        Field(name="ha", show=lambda _row, _view: False, see=KIND_OF_CARRIER),
        *STANDARD_FIELDS,
    ],
)
