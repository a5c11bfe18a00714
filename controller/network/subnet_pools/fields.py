"""Every field of a subnet pool in the API."""

from typing import Any

from controller.network.rbac import shared
from controller.network.standard import STANDARD_FIELDS
from controller.web import schema
from controller.web.fields import Field, Fields, View, exact, number

#: Who may make a pool that all projects see, or that subnets are cut from by default.
SHARE = "network:subnet_pool:share"

PREFIXES: schema.Schema = {
    "type": "array",
    "maxItems": 256,
    "items": {"type": "string", "maxLength": 64},
}


def _length(name: str) -> Field:
    return Field(
        name=name,
        schema=schema.integer(0, 128),
        create=True,
        update=True,
        store=int,
        filter=number,
        sort=True,
    )


def _is_default(row: Any, _view: View) -> bool:
    return row.default_of is not None


SUBNET_POOL = Fields(
    "subnetpool",
    "subnetpools",
    [
        Field(name="id", filter=exact, sort=True),
        Field(
            name="name", schema=schema.NAME, create=True, update=True, required=True, filter=exact, sort=True
        ),
        Field(name="ip_version", filter=number, sort=True),
        Field(name="prefixes", schema=PREFIXES, create=True, update=True, required=True),
        _length("default_prefixlen"),
        _length("min_prefixlen"),
        _length("max_prefixlen"),
        Field(
            name="default_quota",
            schema=schema.nullable(schema.integer(0, 2**31 - 1)),
            create=True,
            update=True,
            default=None,
            store=int,
            filter=number,
            sort=True,
        ),
        Field(
            name="is_default",
            schema=schema.LOOSE_BOOLEAN,
            create=True,
            update=True,
            default=False,
            store=schema.as_bool,
            show=_is_default,
            set=SHARE,
        ),
        shared.field(rule=SHARE),
        Field(
            name="address_scope_id",
            schema=schema.nullable(schema.UUID),
            create=True,
            update=True,
            default=None,
            filter=exact,
            sort=True,
        ),
        *STANDARD_FIELDS,
    ],
)
