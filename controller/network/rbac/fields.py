"""Every field of a policy of access in the API."""

from controller.network.rbac import users
from controller.network.standard import OWNER_FIELDS
from controller.web import schema
from controller.web.fields import Field, Fields, exact

#: A project or "*"; that it exists is not looked up, as neutron has it.
_TARGET: schema.Schema = {
    "type": "string",
    "maxLength": 64,
    "pattern": r"^(\*|[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12})\Z",
}


def _target(name: str) -> Field:
    return Field(
        name=name, attr="target_project", schema=_TARGET, create=True, update=True, filter=exact, sort=True
    )


RBAC_POLICY = Fields(
    "rbac_policy",
    "rbac_policies",
    [
        Field(name="id", filter=exact, sort=True),
        Field(
            name="object_type",
            schema={"enum": sorted(users.OBJECTS)},
            create=True,
            required=True,
            filter=exact,
            sort=True,
        ),
        Field(name="object_id", schema=schema.UUID, create=True, required=True, filter=exact, sort=True),
        Field(
            name="action",
            schema={"type": "string", "maxLength": 255},
            create=True,
            required=True,
            filter=exact,
            sort=True,
        ),
        # the same under two names
        _target("target_tenant"),
        _target("target_project"),
        *OWNER_FIELDS,
    ],
)
