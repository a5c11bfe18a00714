"""The default group of a project, made when the project first needs it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.identity import projects
from controller.network.security_groups.default_rules import model as default_rules
from controller.network.security_groups.model import DEFAULT_NAME, SecurityGroup


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
    default_rules.put_into(session, group)
    return group.id


def ensure_alone(session: Session, project_id: str) -> str:
    """As ``ensure``, as a verb of its own."""
    projects.lock(session, project_id)
    return ensure(session, project_id)


def existing(session: Session, project_id: str) -> str | None:
    """The id of the project's default group, if it was made."""
    return session.scalar(select(SecurityGroup.id).where(SecurityGroup.default_of == project_id))
