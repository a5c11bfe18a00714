"""Making a security group."""

from typing import Any

from sqlalchemy.orm import Session

from controller.identity import projects
from controller.network import limits, refusals
from controller.network.security_groups import default
from controller.network.security_groups.default_rules import model as default_rules
from controller.network.security_groups.model import DEFAULT_NAME, SecurityGroup


def create(session: Session, values: dict[str, Any]) -> SecurityGroup:
    """A new group with the rules that groups begin with. Raises Conflict for a second default group."""
    projects.lock(session, values["project_id"])
    if values["name"].lower() == DEFAULT_NAME:
        raise refusals.in_use("Default security group already exists.", "SecurityGroupDefaultAlreadyExists")
    default.ensure(session, values["project_id"])
    limits.check(session, values["project_id"], "security_group")
    more = default_rules.count(session, is_default=False)
    limits.check(session, values["project_id"], "security_group_rule", adding=more)
    group = SecurityGroup(**values, revision_number=1)
    session.add(group)
    session.flush()
    default_rules.put_into(session, group)
    return group
