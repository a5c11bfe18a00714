"""Changing a security group."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import refusals, standard
from controller.network.ports.model import PortGroup
from controller.network.security_groups.model import DEFAULT_NAME, SecurityGroup


def update(session: Session, group: SecurityGroup, values: dict[str, Any]) -> None:
    """Writes the change. The default group keeps its name. Raises Conflict."""
    standard.lock_row(session, group, "security group")
    name = values.get("name", group.name)
    if name != group.name and group.default_of is not None:
        raise refusals.in_use(
            "Updating default security group not allowed.", "SecurityGroupCannotUpdateDefault"
        )
    if name != group.name and name.lower() == DEFAULT_NAME:
        raise refusals.in_use("Default security group already exists.", "SecurityGroupDefaultAlreadyExists")
    if values.get("is_stateful", group.is_stateful) != group.is_stateful and is_used(session, group.id):
        raise in_use(group.id)
    for attribute, value in values.items():
        setattr(group, attribute, value)
    standard.touch(group)
    outbox.changed(session, "security_group", group.id)


def is_used(session: Session, group_id: str) -> bool:
    """Whether a port is in the group."""
    return (
        session.scalar(select(PortGroup.port_id).where(PortGroup.group_id == group_id).limit(1)) is not None
    )


def in_use(group_id: str) -> Exception:
    """The error when ports are in the group."""
    return refusals.in_use(f"Security Group {group_id} in use.", "SecurityGroupInUse")
