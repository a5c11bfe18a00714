"""/v3/projects: projects and what is around them in their tree."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import falcon
from sqlalchemy import Select, exists, false, select
from sqlalchemy.orm import Session

from controller.identity.projects.create import create
from controller.identity.projects.delete import delete_project
from controller.identity.projects.fields import FIELDS
from controller.identity.projects.model import Project, ProjectAncestor, ProjectTag
from controller.identity.projects.update import update
from controller.identity.resource import IdentityResource, enabled, found, listed, many, one, shown
from controller.web.errors import BadRequest
from controller.web.fields import View
from controller.web.resource import answer, caller_of, no_content, params_of

#: Columns of a list; a select of them is a list's beginning.
COLUMNS = tuple(Project.__table__.columns)


class ProjectsApi(IdentityResource):
    """/v3/projects"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists projects; domains only with is_domain=true."""
        self.allow(req, "identity:projects:list")
        params = params_of(req)
        statement = by_tags(select(*COLUMNS), params)
        if "is_domain" not in params:
            statement = statement.where(Project.is_domain == false())
        with self.db.read() as session:
            page = listed(req, session, statement, Project, FIELDS)
            view = self.view(req, tags_of(session, [row.id for row in page.rows]))
        answer(resp, many(req, FIELDS, page, view))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates a project."""
        self.allow(req, "identity:projects:create")
        given = self.given(req, FIELDS, "create")
        row = self.db.write(lambda session: create(session, given))
        tags = {"tags": {row.id: given.values.get("tags", [])}}
        answer(resp, one(FIELDS, row, self.view(req, tags)), 201)


class ProjectApi(IdentityResource):
    """/v3/projects/{project_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Shows a project, with those above or below it when asked for."""
        self.allow_own(req, "identity:projects:get", caller_of(req).project_id == project_id)
        with self.db.read() as session:
            row = found(session, Project, project_id, "project")
            view = self.view(req, tags_of(session, [project_id]))
            body = {**shown(FIELDS, row, view), **_around(session, row, params_of(req), view)}
        answer(resp, {"project": body})

    def on_patch(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Changes a project."""
        self.allow(req, "identity:projects:update")
        given = self.given(req, FIELDS, "update")

        def change(session: Session) -> tuple[Project, Any]:
            row: Project = found(session, Project, project_id, "project")
            update(session, row, given)
            return row, tags_of(session, [project_id])

        row, tags = self.db.write(change)
        answer(resp, one(FIELDS, row, self.view(req, tags)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Deletes a project."""
        self.allow(req, "identity:projects:delete")
        self.db.write(lambda session: delete_project(session, found(session, Project, project_id, "project")))
        no_content(resp)


def tags_of(session: Session, project_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """What a view of these projects needs beside their rows: one query."""
    tags: dict[str, list[str]] = defaultdict(list)
    wanted = select(ProjectTag.project_id, ProjectTag.tag).where(ProjectTag.project_id.in_(project_ids))
    for project_id, tag in session.execute(wanted.order_by(ProjectTag.tag)) if project_ids else ():
        tags[project_id].append(tag)
    return {"tags": tags}


def by_tags(statement: Select[Any], params: Mapping[str, list[str]]) -> Select[Any]:
    """Narrows by tags (all of them), tags-any, not-tags (not all of them) and not-tags-any."""

    def has(tag: str) -> Any:
        return exists().where(ProjectTag.project_id == Project.id, ProjectTag.tag == tag)

    def asked(name: str) -> list[Any]:
        return [has(tag) for text in params.get(name, []) for tag in text.split(",") if tag]

    for condition in asked("tags"):
        statement = statement.where(condition)
    for condition in asked("not-tags-any"):
        statement = statement.where(~condition)
    if any_of := asked("tags-any"):
        statement = statement.where(_disjunction(any_of))
    if all_of := asked("not-tags"):
        statement = statement.where(_disjunction([~c for c in all_of]))
    return statement


def _disjunction(conditions: list[Any]) -> Any:
    result = conditions[0]
    for condition in conditions[1:]:
        result = result | condition
    return result


# --- the tree


def _around(session: Session, row: Project, params: Mapping[str, list[str]], view: View) -> dict[str, Any]:
    """``parents`` and ``subtree`` as the query asks for them. Raises BadRequest for both forms at once."""
    asked = {k for k in params if k.endswith(("_as_list", "_as_ids")) and enabled(params[k][0])}
    around: dict[str, Any] = {}
    for word, name in (("parents", "parents"), ("subtree", "subtree")):
        as_list, as_ids = f"{word}_as_list" in asked, f"{word}_as_ids" in asked
        if as_list and as_ids:
            raise BadRequest(f"{word}_as_list and {word}_as_ids exclude each other.")
        if as_list or as_ids:
            rows = _above(session, row.id) if word == "parents" else _below(session, row.id)
            around[name] = (
                [{"project": shown(FIELDS, r, view)} for r in rows if not r.is_domain]
                if as_list
                else (_chain(rows) if word == "parents" else _tree(rows, row.id))
            )
    return around


def _above(session: Session, project_id: str) -> Sequence[Any]:
    """From the parent up."""
    return session.execute(
        select(*COLUMNS)
        .join(ProjectAncestor, ProjectAncestor.ancestor_id == Project.id)
        .where(ProjectAncestor.project_id == project_id)
        .order_by(ProjectAncestor.distance)
    ).all()


def _below(session: Session, project_id: str) -> Sequence[Any]:
    return session.execute(
        select(*COLUMNS)
        .join(ProjectAncestor, ProjectAncestor.project_id == Project.id)
        .where(ProjectAncestor.ancestor_id == project_id)
        .order_by(ProjectAncestor.distance, Project.id)
    ).all()


def _chain(rows: Iterable[Any]) -> dict[str, Any] | None:
    chain: dict[str, Any] | None = None
    for row in reversed(list(rows)):
        chain = {row.id: chain}
    return chain


def _tree(rows: Sequence[Any], project_id: str) -> dict[str, Any] | None:
    children = [row.id for row in rows if row.parent_id == project_id]
    return {child: _tree(rows, child) for child in children} or None
