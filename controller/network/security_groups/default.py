"""The default group of a project, made when the project first needs it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.identity import projects
from controller.network.security_groups.model import DEFAULT_NAME, SecurityGroup, SecurityGroupRule


def ensure(session: Session, project_id: str) -> str:
    """The id of the project's default group; makes it if it is not there. The project is locked already."""
    found = existing(session, project_id)
    if found is not None:
        return found
    group = SecurityGroup(
        project_id=project_id,
        name=DEFAULT_NAME,
        description="Default security group",
        default_of=project_id,
        revision_number=1,
    )
    session.add(group)
    session.flush()
    add_egress(session, group)
    for ethertype in ("IPv4", "IPv6"):
        session.add(_rule(group, "ingress", ethertype, remote_group_id=group.id))
    session.flush()
    return group.id


def ensure_alone(session: Session, project_id: str) -> str:
    """As ``ensure``, as a verb of its own."""
    projects.lock(session, project_id)
    return ensure(session, project_id)


def existing(session: Session, project_id: str) -> str | None:
    """The id of the project's default group, if it was made."""
    return session.scalar(select(SecurityGroup.id).where(SecurityGroup.default_of == project_id))


def add_egress(session: Session, group: SecurityGroup) -> None:
    """What every new group has: all may leave."""
    for ethertype in ("IPv4", "IPv6"):
        session.add(_rule(group, "egress", ethertype))


def _rule(
    group: SecurityGroup, direction: str, ethertype: str, remote_group_id: str | None = None
) -> SecurityGroupRule:
    return SecurityGroupRule(
        project_id=group.project_id,
        group_id=group.id,
        direction=direction,
        ethertype=ethertype,
        remote_group_id=remote_group_id,
    )
