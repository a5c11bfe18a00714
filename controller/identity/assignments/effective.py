"""Where a user has roles, through groups and from above too."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true

from controller.identity.assignments.model import Assignment
from controller.identity.groups.model import Membership
from controller.identity.projects.model import Project, ProjectAncestor


def actor_ids_of(user_id: str) -> ColumnElement[bool]:
    """A condition on Assignment: it is of the user or of a group of the user."""
    groups = select(Membership.group_id).where(Membership.user_id == user_id)
    return or_(Assignment.actor_id == user_id, Assignment.actor_id.in_(groups))


def project_ids_of(user_id: str) -> Select[Any]:
    """Ids of the projects on which a user has a role, as a select to be used with ``in_``."""
    direct = and_(Assignment.is_inherited == false(), Assignment.target_id == Project.id)
    above = select(ProjectAncestor.ancestor_id).where(ProjectAncestor.project_id == Project.id)
    inherited = and_(Assignment.is_inherited == true(), Assignment.target_id.in_(above))
    return (
        select(Project.id)
        .join(Assignment, or_(direct, inherited))
        .where(actor_ids_of(user_id), Project.is_domain == false())
        .correlate(None)
    )


def domain_ids_of(user_id: str) -> Select[Any]:
    """Ids of the domains on which a user has a role, as a select to be used with ``in_``."""
    return select(Assignment.target_id).where(
        actor_ids_of(user_id), Assignment.is_inherited == false(), Assignment.target_type == "domain"
    )
