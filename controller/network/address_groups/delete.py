"""Deleting an address group that no rule names."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import refusals, standard
from controller.network.address_groups.model import AddressGroup
from controller.network.rbac import model as rbac
from controller.network.security_groups.default_rules import model as default_rules
from controller.network.security_groups.model import SecurityGroupRule


def delete(session: Session, group: AddressGroup) -> None:
    """Removes the group. Raises NotFound, Conflict while rules name it."""
    standard.lock_row(session, group, "address group")
    naming = select(SecurityGroupRule.id).where(SecurityGroupRule.remote_address_group_id == group.id)
    if session.scalar(naming.limit(1)) or default_rules.names_address_group(session, group.id):
        raise refusals.in_use(
            f"Address group {group.id} is in use on one or more security group rules.", "AddressGroupInUse"
        )
    rbac.forget(session, group.id)
    session.delete(group)
    outbox.changed(session, "address_group", group.id)
