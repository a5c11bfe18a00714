"""/v3/projects/{project_id}/tags"""

import falcon
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from controller.identity.projects.create import write_tags
from controller.identity.projects.fields import TAG, TAGS
from controller.identity.projects.model import Project, ProjectTag
from controller.identity.projects.update import set_tags
from controller.identity.resource import IdentityResource, found
from controller.web.errors import BadRequest, NotFound
from controller.web.resource import answer, base_url, body_of, caller_of, no_content
from controller.web.schema import compile_schema

_check_tag = compile_schema(TAG)
_check_body = compile_schema(
    {"type": "object", "properties": {"tags": TAGS}, "required": ["tags"], "additionalProperties": False}
)
_MOST = 80


class TagsApi(IdentityResource):
    """All tags of a project."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Lists them."""
        self.allow_own(req, "identity:project_tags:list", caller_of(req).project_id == project_id)
        with self.db.read() as session:
            found(session, Project, project_id, "project")
            tags = _tags(session, project_id)
        answer(resp, {"tags": tags, "links": {"self": f"{base_url(req)}{req.path}"}})

    def on_put(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Replaces them."""
        self.allow(req, "identity:project_tags:update")
        tags = _check_body(body_of(req))["tags"]

        def change(session: Session) -> None:
            found(session, Project, project_id, "project")
            set_tags(session, project_id, tags)

        self.db.write(change)
        answer(resp, {"tags": tags, "links": {"self": f"{base_url(req)}{req.path}"}})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Removes them all."""
        self.allow(req, "identity:project_tags:delete")

        def change(session: Session) -> None:
            found(session, Project, project_id, "project")
            set_tags(session, project_id, ())

        self.db.write(change)
        no_content(resp)


class TagApi(IdentityResource):
    """One tag of a project."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, project_id: str, tag: str) -> None:
        """204 if the project has it."""
        self.allow_own(req, "identity:project_tags:get", caller_of(req).project_id == project_id)
        with self.db.read() as session:
            found(session, Project, project_id, "project")
            if session.get(ProjectTag, (project_id, tag)) is None:
                raise NotFound(f"Could not find project tag: {tag}.")
        no_content(resp)

    def on_put(self, req: falcon.Request, resp: falcon.Response, project_id: str, tag: str) -> None:
        """Adds it."""
        self.allow(req, "identity:project_tags:create")
        _check_tag(tag)

        def change(session: Session) -> None:
            found(session, Project, project_id, "project")
            tags = _tags(session, project_id)
            if tag in tags:
                return
            if len(tags) >= _MOST:
                raise BadRequest(f"A project has at most {_MOST} tags: remove one first.")
            write_tags(session, project_id, [tag])

        self.db.write(change)
        resp.set_header("Location", f"{base_url(req)}{req.path}")
        no_content(resp, 201)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, project_id: str, tag: str) -> None:
        """Removes it."""
        self.allow(req, "identity:project_tags:delete")

        def change(session: Session) -> None:
            found(session, Project, project_id, "project")
            gone = session.execute(
                delete(ProjectTag).where(ProjectTag.project_id == project_id, ProjectTag.tag == tag)
            )
            if not gone.rowcount:  # type: ignore[attr-defined]
                raise NotFound(f"Could not find project tag: {tag}.")

        self.db.write(change)
        no_content(resp)


def _tags(session: Session, project_id: str) -> list[str]:
    wanted = select(ProjectTag.tag).where(ProjectTag.project_id == project_id).order_by(ProjectTag.tag)
    return list(session.scalars(wanted))
