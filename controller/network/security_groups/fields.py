"""Every field of a security group and of its rules in the API."""

import ipaddress
from typing import Any

from controller.network.rbac import shared
from controller.network.standard import DESCRIPTION, NAME, STANDARD_FIELDS
from controller.web import schema
from controller.web.fields import Field, Fields, View, boolean, exact, number


def _rules(row: Any, view: View) -> list[dict[str, Any]]:
    return [RULE.view(rule, view) for rule in view.of("rules", row.id, [])]


def _normalized(row: Any, _view: View) -> str | None:
    prefix = row.remote_ip_prefix
    return str(ipaddress.ip_network(prefix, strict=False)) if prefix else None


_PORT = schema.nullable(schema.integer())
#: What is no id names no group: 404, as in the original.
_GROUP_ID: schema.Schema = {
    "type": ["string", "null"],
    "minLength": 1,
    "maxLength": 64,
    "pattern": schema.NAME_PATTERN,
}

RULE = Fields(
    "security_group_rule",
    "security_group_rules",
    [
        Field(name="id", filter=exact, sort=True),
        Field(
            name="security_group_id",
            attr="group_id",
            schema=schema.UUID,
            create=True,
            required=True,
            filter=exact,
            sort=True,
        ),
        Field(
            name="direction",
            schema={"enum": ["ingress", "egress"]},
            create=True,
            required=True,
            filter=exact,
            sort=True,
        ),
        Field(
            name="ethertype",
            schema={"enum": ["IPv4", "IPv6", "ipv4", "ipv6", "IPV4", "IPV6", None]},
            create=True,
            default="IPv4",
            filter=exact,
            sort=True,
        ),
        Field(
            name="protocol",
            schema={"anyOf": [{"type": ["string", "null"], "maxLength": 40}, {"type": "integer"}]},
            create=True,
            default=None,
            store=lambda value: str(value).lower(),
            filter=exact,
            sort=True,
        ),
        Field(
            name="port_range_min",
            schema=_PORT,
            create=True,
            default=None,
            store=int,
            filter=number,
            sort=True,
        ),
        Field(
            name="port_range_max",
            schema=_PORT,
            create=True,
            default=None,
            store=int,
            filter=number,
            sort=True,
        ),
        Field(
            name="remote_ip_prefix",
            schema={"type": ["string", "null"], "maxLength": 64},
            create=True,
            default=None,
            filter=exact,
            sort=True,
        ),
        Field(name="normalized_cidr", show=_normalized),
        Field(
            name="remote_group_id",
            schema=_GROUP_ID,
            create=True,
            default=None,
            filter=exact,
            sort=True,
        ),
        Field(
            name="remote_address_group_id",
            schema=_GROUP_ID,
            create=True,
            default=None,
            filter=exact,
            sort=True,
        ),
        *(f for f in STANDARD_FIELDS if f.name not in ("tags", "description")),
        Field(
            name="description",
            schema=schema.nullable(DESCRIPTION),
            create=True,
            default="",
            filter=exact,
        ),
    ],
)

GROUP = Fields(
    "security_group",
    "security_groups",
    [
        Field(name="id", filter=exact, sort=True),
        NAME,
        Field(
            name="stateful",
            attr="is_stateful",
            schema=schema.LOOSE_BOOLEAN,
            create=True,
            update=True,
            default=True,
            store=schema.as_bool,
            filter=boolean,
        ),
        shared.field(create=False),
        *STANDARD_FIELDS,
        Field(name="security_group_rules", show=_rules),
    ],
)
