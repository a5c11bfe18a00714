"""Every field of a default rule in the API: those of a rule, and which groups get it."""

from controller.network.security_groups.fields import RULE
from controller.network.standard import OWNER
from controller.web import schema
from controller.web.fields import Field, Fields, boolean, exact


def _use(name: str, attr: str, default: bool) -> Field:
    return Field(
        name=name,
        attr=attr,
        schema=schema.LOOSE_BOOLEAN,
        create=True,
        default=default,
        store=schema.as_bool,
        filter=boolean,
    )


_OF_RULES = (
    "id",
    "direction",
    "ethertype",
    "protocol",
    "port_range_min",
    "port_range_max",
    "remote_ip_prefix",
    "remote_group_id",
    "remote_address_group_id",
)

DEFAULT_RULE = Fields(
    "default_security_group_rule",
    "default_security_group_rules",
    [
        *(RULE.by_name[name] for name in _OF_RULES),
        Field(
            name="description",
            schema=RULE.by_name["description"].schema,
            create=True,
            default="",
            filter=exact,
        ),
        _use("used_in_default_sg", "is_for_default", False),
        _use("used_in_non_default_sg", "is_for_others", True),
        *(
            Field(name=name, schema=OWNER, create=True, is_shown=False)
            for name in ("project_id", "tenant_id")
        ),
    ],
)
