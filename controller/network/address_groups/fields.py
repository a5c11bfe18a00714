"""Every field of an address group in the API."""

from controller.network.rbac import shared
from controller.network.standard import NAME, STANDARD_FIELDS
from controller.web import schema
from controller.web.fields import Field, Fields, exact

#: Addresses of one group: each is two flows on every host that has it.
MOST = 1000

ADDRESSES: schema.Schema = {
    "type": ["array", "null"],
    "maxItems": MOST,
    "items": {"type": "string", "maxLength": 64},
}

ADDRESS_GROUP = Fields(
    "address_group",
    "address_groups",
    [
        Field(name="id", filter=exact, sort=True),
        NAME,
        Field(name="addresses", schema=ADDRESSES, create=True, default=list),
        shared.field(create=False),
        *(f for f in STANDARD_FIELDS if f.name != "tags"),
    ],
)
