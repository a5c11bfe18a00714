"""Deleting a security group that no port is in; rules elsewhere that name it as remote go with it."""

from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import refusals, standard
from controller.network.rbac import model as rbac
from controller.network.security_groups.default_rules import model as default_rules
from controller.network.security_groups.model import SecurityGroup, SecurityGroupRule, address_groups
from controller.network.security_groups.update import in_use, is_used
from controller.network.tags import model as tags
from controller.web.caller import Caller


def delete(session: Session, caller: Caller, group: SecurityGroup) -> None:
    """Removes the group. Raises Conflict while it is used, and for the default group of a project."""
    standard.lock_row(session, group, "security group")
    if group.default_of is not None and not caller.is_admin:
        raise refusals.in_use(
            "Insufficient rights for removing default security group.", "SecurityGroupCannotRemoveDefault"
        )
    if is_used(session, group.id):
        raise in_use(group.id)
    naming = select(SecurityGroupRule.group_id).where(SecurityGroupRule.remote_group_id == group.id)
    named = select(SecurityGroupRule.remote_group_id).where(SecurityGroupRule.group_id == group.id)
    affected = {group.id, *session.scalars(naming), *(g for g in session.scalars(named) if g)}
    outbox.changed(session, "address_group", *sorted(address_groups(session, [group.id])))
    session.execute(
        sql_delete(SecurityGroupRule).where(
            (SecurityGroupRule.group_id == group.id) | (SecurityGroupRule.remote_group_id == group.id)
        )
    )
    default_rules.forget_group(session, group.id)
    session.execute(sql_delete(SecurityGroup).where(SecurityGroup.id == group.id))
    rbac.forget(session, group.id)
    tags.forget(session, group.id)
    outbox.changed(session, "security_group", *sorted(affected))
