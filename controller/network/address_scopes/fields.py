"""Every field of an address scope in the API."""

from controller.network.rbac import shared
from controller.network.standard import NAME, OWNER_FIELDS
from controller.web.fields import Field, Fields, exact, number

#: Who may make a scope that all projects see.
SHARE = "network:address_scope:share"

ADDRESS_SCOPE = Fields(
    "address_scope",
    "address_scopes",
    [
        Field(name="id", filter=exact, sort=True),
        NAME,
        Field(
            name="ip_version",
            schema={"enum": [4, 6, "4", "6"]},
            create=True,
            required=True,
            store=int,
            filter=number,
            sort=True,
        ),
        shared.field(update=True, rule=SHARE),
        *OWNER_FIELDS,
    ],
)
