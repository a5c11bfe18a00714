"""Changing a project or a domain, and its tags."""

import dataclasses
from collections.abc import Sequence

from sqlalchemy import delete, func, select, true
from sqlalchemy.orm import Session

from controller.identity.projects.create import write_tags
from controller.identity.projects.model import Project, ProjectAncestor, ProjectTag
from controller.identity.resource import Given, apply, flush
from controller.web.errors import Forbidden


def update(session: Session, row: Project, given: Given) -> None:
    """Changes what the body names. Raises BadRequest, Forbidden, Conflict.

    What is disabled has no valid token any more: that is seen when the token is.
    """
    given.must_keep(
        id=row.id,
        domain_id=row.domain_id or None,
        parent_id=row.parent_id,
        is_domain=row.is_domain,
    )
    if given.values.get("is_enabled") is False and not row.is_domain and _has_enabled_below(session, row.id):
        raise Forbidden(f"Projects below {row.id} are enabled: disable them first.")
    values = {k: v for k, v in given.values.items() if k != "tags"}
    if "description" in values:
        values["description"] = values["description"] or ""
    apply(row, dataclasses.replace(given, values=values))
    flush(session, f"{row.name} is the name of another one already: choose another name.")
    if "tags" in given.values:
        set_tags(session, row.id, given.values["tags"])


def set_tags(session: Session, project_id: str, tags: Sequence[str]) -> None:
    """Makes these the project's tags."""
    session.execute(delete(ProjectTag).where(ProjectTag.project_id == project_id))
    write_tags(session, project_id, tags)
    session.flush()


def _has_enabled_below(session: Session, project_id: str) -> bool:
    below = (
        select(func.count())
        .select_from(ProjectAncestor)
        .join(Project, Project.id == ProjectAncestor.project_id)
        .where(ProjectAncestor.ancestor_id == project_id, Project.is_enabled == true())
    )
    return bool(session.scalar(below))
