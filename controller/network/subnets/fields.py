"""Every field of a subnet in the API."""

import ipaddress

from controller.network.standard import NAME, STANDARD_FIELDS
from controller.web import schema
from controller.web.fields import Field, Fields, boolean, exact, number

_IP: schema.Schema = {"type": "string", "maxLength": 64}
_MODE = {"enum": ["slaac", "dhcpv6-stateful", "dhcpv6-stateless", None]}


def _object(*names: str) -> schema.Schema:
    return {
        "type": "object",
        "properties": {name: _IP for name in names},
        "required": list(names),
        "additionalProperties": False,
    }


def _list(item: schema.Schema, most: int) -> schema.Schema:
    return {"type": ["array", "null"], "items": item, "maxItems": most}


def _cidr(text: str) -> str:
    """As rows have it, so that clients may filter by other writings."""
    return str(ipaddress.ip_network(text, strict=False))


SUBNET = Fields(
    "subnet",
    "subnets",
    [
        Field(name="id", filter=exact, sort=True),
        NAME,
        Field(name="network_id", schema=schema.UUID, create=True, required=True, filter=exact, sort=True),
        Field(
            name="ip_version",
            schema={"enum": [4, 6, "4", "6"]},
            create=True,
            required=True,
            store=int,
            filter=number,
            sort=True,
        ),
        Field(name="cidr", schema=schema.nullable(_IP), create=True, filter=_cidr, sort=True),
        Field(
            name="gateway_ip",
            schema={"type": ["string", "null"], "maxLength": 64},
            create=True,
            update=True,
            filter=exact,
            sort=True,
        ),
        Field(
            name="enable_dhcp",
            attr="is_dhcp",
            schema=schema.LOOSE_BOOLEAN,
            create=True,
            update=True,
            default=True,
            store=schema.as_bool,
            filter=boolean,
            sort=True,
        ),
        Field(name="ipv6_ra_mode", schema=_MODE, create=True, default=None, filter=exact, sort=True),
        Field(name="ipv6_address_mode", schema=_MODE, create=True, default=None, filter=exact, sort=True),
        Field(name="allocation_pools", schema=_list(_object("start", "end"), 64), create=True, update=True),
        Field(name="dns_nameservers", schema=_list(_IP, 64), create=True, update=True, default=list),
        Field(
            name="host_routes",
            schema=_list(_object("destination", "nexthop"), 256),
            create=True,
            update=True,
            default=list,
        ),
        Field(
            name="subnetpool_id",
            schema=schema.nullable(schema.UUID),
            create=True,
            default=None,
            filter=exact,
            sort=True,
        ),
        Field(
            name="use_default_subnetpool",
            schema=schema.LOOSE_BOOLEAN,
            create=True,
            is_shown=False,
            store=schema.as_bool,
        ),
        Field(name="prefixlen", schema=schema.integer(0, 128), create=True, is_shown=False, store=int),
        Field(
            name="service_types",
            schema={"type": ["array", "null"], "items": {"type": "string", "maxLength": 255}, "maxItems": 64},
            create=True,
            update=True,
            default=list,
        ),
        *STANDARD_FIELDS,
    ],
)
