"""Every field of users in the API. Other names (email, description) are stored as clients give them."""

from controller.identity.passwords import MAX_LENGTH
from controller.identity.resource import BOOLEAN, ID, NAME, enabled, links, store_bool
from controller.web.fields import Field, Fields, exact
from controller.web.schema import Schema

#: Those about ageing and lock-out are kept and mean nothing: no password ages here. Rules of several factors
#: are refused, since a user would rely on them.
_OPTIONS: Schema = {
    "type": "object",
    "properties": {
        name: {"type": ["boolean", "null"]}
        for name in (
            "immutable",
            "ignore_change_password_upon_first_use",
            "ignore_password_expiry",
            "ignore_lockout_failure_attempts",
            "ignore_user_inactivity",
            "lock_password",
        )
    },
    "additionalProperties": False,
}
PASSWORD: Schema = {"type": ["string", "null"], "maxLength": MAX_LENGTH}

FIELDS = Fields(
    "user",
    "users",
    (
        Field(name="id", filter=exact, sort=True),
        Field(name="name", schema=NAME, create=True, update=True, required=True, filter=exact, sort=True),
        Field(name="domain_id", schema=ID, create=True, filter=exact, sort=True),
        Field(
            name="enabled",
            attr="is_enabled",
            schema=BOOLEAN,
            create=True,
            update=True,
            default=True,
            store=store_bool,
            filter=enabled,
        ),
        Field(
            name="default_project_id",
            schema={"type": ["string", "null"], "maxLength": 64},
            create=True,
            update=True,
            filter=exact,
        ),
        Field(name="password", schema=PASSWORD, create=True, update=True, is_shown=False),
        Field(name="password_expires_at", show=lambda _row, _view: None),
        Field(name="options", schema=_OPTIONS, create=True, update=True),
        Field(name="links", show=links("users")),
    ),
    is_open=True,
)
