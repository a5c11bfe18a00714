"""/v3/users: users, their projects and groups."""

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.identity.assignments.effective import project_ids_of
from controller.identity.groups.api import COLUMNS as GROUP_COLUMNS
from controller.identity.groups.api import FIELDS as GROUP_FIELDS
from controller.identity.groups.model import Group, Membership
from controller.identity.projects.api import COLUMNS as PROJECT_COLUMNS
from controller.identity.projects.api import tags_of
from controller.identity.projects.fields import FIELDS as PROJECT_FIELDS
from controller.identity.projects.model import Project
from controller.identity.resource import Given, IdentityResource, found, listed, many, one
from controller.identity.users.create import create
from controller.identity.users.delete import delete_user
from controller.identity.users.fields import FIELDS
from controller.identity.users.model import User
from controller.identity.users.update import update
from controller.web.resource import answer, caller_of, no_content

COLUMNS = tuple(c for c in User.__table__.columns if c.name != "password_hash")


class UsersApi(IdentityResource):
    """/v3/users"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists users."""
        self.allow(req, "identity:users:list")
        with self.db.read() as session:
            page = listed(req, session, select(*COLUMNS), User, FIELDS)
        answer(resp, many(req, FIELDS, page, self.view(req)))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates a user."""
        self.allow(req, "identity:users:create")
        given = self.given(req, FIELDS, "create")
        hashed = _hashed(self, given)
        row = self.db.write(lambda session: create(session, given, hashed))
        answer(resp, one(FIELDS, row, self.view(req)), 201)


class UserApi(IdentityResource):
    """/v3/users/{user_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        """Shows a user."""
        self.allow_own(req, "identity:users:get", caller_of(req).user_id == user_id)
        with self.db.read() as session:
            row = found(session, User, user_id, "user")
        answer(resp, one(FIELDS, row, self.view(req)))

    def on_patch(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        """Changes a user."""
        self.allow(req, "identity:users:update")
        given = self.given(req, FIELDS, "update")
        hashed = _hashed(self, given)

        def change(session: Session) -> User:
            row: User = found(session, User, user_id, "user")
            update(session, row, given, hashed)
            return row

        answer(resp, one(FIELDS, self.db.write(change), self.view(req)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        """Deletes a user."""
        self.allow(req, "identity:users:delete")
        self.db.write(lambda session: delete_user(session, found(session, User, user_id, "user")))
        no_content(resp)


class UserProjectsApi(IdentityResource):
    """/v3/users/{user_id}/projects"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        """Lists the projects on which the user has a role."""
        self.allow_own(req, "identity:user_projects:list", caller_of(req).user_id == user_id)
        with self.db.read() as session:
            found(session, User, user_id, "user")
            statement = select(*PROJECT_COLUMNS).where(Project.id.in_(project_ids_of(user_id)))
            page = listed(req, session, statement, Project, PROJECT_FIELDS)
            view = self.view(req, tags_of(session, [row.id for row in page.rows]))
        answer(resp, many(req, PROJECT_FIELDS, page, view))


class UserGroupsApi(IdentityResource):
    """/v3/users/{user_id}/groups"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        """Lists the groups that the user is in."""
        self.allow_own(req, "identity:user_groups:list", caller_of(req).user_id == user_id)
        statement = select(*GROUP_COLUMNS).join(Membership, Membership.group_id == Group.id)
        with self.db.read() as session:
            found(session, User, user_id, "user")
            page = listed(req, session, statement.where(Membership.user_id == user_id), Group, GROUP_FIELDS)
        answer(resp, many(req, GROUP_FIELDS, page, self.view(req)))


def _hashed(resource: IdentityResource, given: Given) -> str | None:
    """The hash of the password in the body: made before any transaction."""
    password = given.values.get("password")
    return None if password is None else resource.tools.passwords.hashed(password)
