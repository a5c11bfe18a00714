"""Creating a project or a domain: what it may hang under, and its ancestors."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db.columns import new_hex
from controller.identity.projects.model import NO_DOMAIN, Project, ProjectAncestor, ProjectTag
from controller.identity.resource import DEFAULT_DOMAIN, Given, flush
from controller.web.errors import BadRequest, Forbidden

#: Projects below each other, the domain not counted: as keystone's max_project_tree_depth.
_MAX_DEPTH = 5


def create(session: Session, given: Given) -> Project:
    """A new project under a domain or another project. Raises BadRequest, Forbidden, Conflict."""
    values = dict(given.values)
    if values.pop("is_domain", False):
        if values.get("parent_id") or values.get("domain_id"):
            raise BadRequest("A project that acts as a domain has neither parent_id nor domain_id.")
        return create_domain(session, given)
    parent = _parent(session, values)
    above = _ancestors(session, parent)
    if len(above) > _MAX_DEPTH:
        raise Forbidden(
            f"The tree of projects may be {_MAX_DEPTH} deep: choose a parent nearer to the domain."
        )
    row = Project(
        id=new_hex(),
        name=values["name"],
        description=values.get("description") or "",
        domain_id=parent.domain_id or parent.id,
        parent_id=parent.id,
        is_enabled=values["is_enabled"],
        options=given_options(values),
        extra=given.extra,
    )
    return _write(session, row, values.get("tags", []), above)


def create_domain(session: Session, given: Given) -> Project:
    """A new domain. Raises Conflict."""
    values = given.values
    row = Project(
        id=values.get("explicit_domain_id") or new_hex(),
        name=values["name"],
        description=values.get("description") or "",
        domain_id=NO_DOMAIN,
        is_domain=True,
        is_enabled=values["is_enabled"],
        options=given_options(values),
        extra=given.extra,
    )
    return _write(session, row, values.get("tags", []), ())


def given_options(values: dict[str, Any]) -> dict[str, Any]:
    """The options of a new resource: null is the same as not given."""
    return {k: v for k, v in (values.get("options") or {}).items() if v is not None}


def write_tags(session: Session, project_id: str, tags: Sequence[str]) -> None:
    """Adds tags to a project."""
    session.add_all(ProjectTag(project_id=project_id, tag=tag) for tag in tags)


def _write(session: Session, row: Project, tags: Sequence[str], above: Sequence[str]) -> Project:
    session.add(row)
    what = "domain" if row.is_domain else "project"
    flush(session, f"A {what} named {row.name} is there already: choose another name.")
    write_tags(session, row.id, tags)
    session.add_all(
        ProjectAncestor(project_id=row.id, ancestor_id=ancestor, distance=distance)
        for distance, ancestor in enumerate(above, 1)
    )
    session.flush()
    return row


def _parent(session: Session, values: dict[str, Any]) -> Project:
    parent_id = values.get("parent_id") or values.get("domain_id") or DEFAULT_DOMAIN
    parent = session.get(Project, parent_id)
    if parent is None:
        raise BadRequest(f"Could not find the parent {parent_id}: name a project or domain that exists.")
    if not parent.is_enabled:
        raise Forbidden(f"The parent {parent_id} is disabled: enable it first.")
    asked = values.get("domain_id")
    if asked and asked != (parent.domain_id or parent.id):
        raise BadRequest(f"The parent {parent_id} is not in the domain {asked}: leave domain_id out.")
    return parent


def _ancestors(session: Session, parent: Project) -> list[str]:
    """From the parent up to the domain."""
    above = session.scalars(
        select(ProjectAncestor.ancestor_id)
        .where(ProjectAncestor.project_id == parent.id)
        .order_by(ProjectAncestor.distance)
    )
    return [parent.id, *above]
