"""What is special about default rules in lists and look-ups: they are nobody's, and whoever may look sees all."""

from sqlalchemy import true

from controller.network.collection import Kind
from controller.network.security_groups.default_rules.fields import DEFAULT_RULE
from controller.network.security_groups.default_rules.model import DefaultRule

KIND = Kind(
    name="default_security_group_rule",
    fields=DEFAULT_RULE,
    model=DefaultRule,
    related=lambda _session, _rows: {},
    shared=lambda _caller: true(),
)
