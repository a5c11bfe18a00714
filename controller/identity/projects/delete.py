"""Deleting a project, or a domain with all in it. Resources of other services stay, as with keystone."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from controller.identity.assignments.model import Assignment
from controller.identity.groups.model import Group
from controller.identity.projects.model import Project, ProjectAncestor
from controller.identity.resource import DEFAULT_DOMAIN, is_immutable
from controller.identity.roles import closure
from controller.identity.roles.model import Role
from controller.identity.users.model import User
from controller.web.errors import Forbidden

_ACTORS: tuple[type[User] | type[Group], ...] = (User, Group)


def delete_project(session: Session, row: Project) -> None:
    """A project without others below it, with its role assignments. Raises Forbidden."""
    _check_deletable(row)
    if row.is_domain:
        delete_domain(session, row)
        return
    below = select(func.count()).select_from(ProjectAncestor).where(ProjectAncestor.ancestor_id == row.id)
    if session.scalar(below):
        raise Forbidden(f"There are projects below {row.id}: delete them first.")
    _forget(session, [row.id])
    session.execute(delete(Project).where(Project.id == row.id))


def delete_domain(session: Session, row: Project) -> None:
    """A disabled domain, with its users, groups, roles and projects. Raises Forbidden."""
    _check_deletable(row)
    if row.id == DEFAULT_DOMAIN:
        raise Forbidden("The default domain cannot be deleted.")
    if row.is_enabled:
        raise Forbidden(f"The domain {row.id} is enabled: disable it first.")
    projects = session.scalars(select(Project.id).where(Project.domain_id == row.id)).all()
    _forget(session, [row.id, *projects])
    for model in _ACTORS:
        actors = select(model.id).where(model.domain_id == row.id)
        session.execute(delete(Assignment).where(Assignment.actor_id.in_(actors)))
        session.execute(delete(model).where(model.domain_id == row.id))
    session.execute(delete(Role).where(Role.domain_id == row.id))
    session.execute(delete(Project).where(Project.domain_id == row.id))
    session.execute(delete(Project).where(Project.id == row.id))
    closure.rewrite(session)


def _check_deletable(row: Project) -> None:
    if is_immutable(row):
        raise Forbidden(f"{row.id} is immutable: unset its option immutable first.")


def _forget(session: Session, project_ids: Sequence[str]) -> None:
    session.execute(delete(Assignment).where(Assignment.target_id.in_(project_ids)))
    session.execute(
        update(User).where(User.default_project_id.in_(project_ids)).values(default_project_id=None),
        execution_options={"synchronize_session": False},
    )
