"""/v3/groups: groups and who is in them."""

import falcon
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from controller.identity.assignments.model import Assignment
from controller.identity.groups.model import Group, Membership
from controller.identity.resource import (
    DEFAULT_DOMAIN,
    ID,
    NAME,
    NULLABLE_TEXT,
    Given,
    IdentityResource,
    apply,
    flush,
    found,
    links,
    listed,
    many,
    one,
)
from controller.identity.users.create import check_domain
from controller.identity.users.fields import FIELDS as USER_FIELDS
from controller.identity.users.model import User
from controller.web.errors import NotFound
from controller.web.fields import Field, Fields, exact
from controller.web.resource import answer, no_content

COLUMNS = tuple(Group.__table__.columns)
_USER_COLUMNS = tuple(c for c in User.__table__.columns if c.name != "password_hash")

FIELDS = Fields(
    "group",
    "groups",
    (
        Field(name="id", filter=exact),
        Field(name="name", schema=NAME, create=True, update=True, required=True, filter=exact, sort=True),
        Field(name="domain_id", schema=ID, create=True, filter=exact),
        Field(
            name="description",
            schema=NULLABLE_TEXT,
            create=True,
            update=True,
            default="",
        ),
        Field(name="links", show=links("groups")),
    ),
    is_open=True,
)


class GroupsApi(IdentityResource):
    """/v3/groups"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists groups."""
        self.allow(req, "identity:groups:list")
        with self.db.read() as session:
            page = listed(req, session, select(*COLUMNS), Group, FIELDS)
        answer(resp, many(req, FIELDS, page, self.view(req)))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates a group."""
        self.allow(req, "identity:groups:create")
        given = self.given(req, FIELDS, "create")
        row = self.db.write(lambda session: create(session, given))
        answer(resp, one(FIELDS, row, self.view(req)), 201)


class GroupApi(IdentityResource):
    """/v3/groups/{group_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, group_id: str) -> None:
        """Shows a group."""
        self.allow(req, "identity:groups:get")
        with self.db.read() as session:
            row = found(session, Group, group_id, "group")
        answer(resp, one(FIELDS, row, self.view(req)))

    def on_patch(self, req: falcon.Request, resp: falcon.Response, group_id: str) -> None:
        """Changes a group."""
        self.allow(req, "identity:groups:update")
        given = self.given(req, FIELDS, "update")

        def change(session: Session) -> Group:
            row: Group = found(session, Group, group_id, "group")
            given.must_keep(id=row.id, domain_id=row.domain_id)
            apply(row, given)
            row.description = row.description or ""
            flush(session, f"A group named {row.name} is in the domain already: choose another name.")
            return row

        answer(resp, one(FIELDS, self.db.write(change), self.view(req)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, group_id: str) -> None:
        """Deletes a group with its role assignments."""
        self.allow(req, "identity:groups:delete")

        def remove(session: Session) -> None:
            found(session, Group, group_id, "group")
            session.execute(delete(Assignment).where(Assignment.actor_id == group_id))
            session.execute(delete(Group).where(Group.id == group_id))

        self.db.write(remove)
        no_content(resp)


class GroupUsersApi(IdentityResource):
    """/v3/groups/{group_id}/users"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, group_id: str) -> None:
        """Lists the users in a group."""
        self.allow(req, "identity:group_users:list")
        statement = select(*_USER_COLUMNS).join(Membership, Membership.user_id == User.id)
        with self.db.read() as session:
            found(session, Group, group_id, "group")
            page = listed(req, session, statement.where(Membership.group_id == group_id), User, USER_FIELDS)
        answer(resp, many(req, USER_FIELDS, page, self.view(req)))


class GroupUserApi(IdentityResource):
    """/v3/groups/{group_id}/users/{user_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, group_id: str, user_id: str) -> None:
        """204 if the user is in the group."""
        self.allow(req, "identity:group_users:get")
        with self.db.read() as session:
            membership(session, group_id, user_id)
        no_content(resp)

    def on_put(self, req: falcon.Request, resp: falcon.Response, group_id: str, user_id: str) -> None:
        """Puts the user into the group."""
        self.allow(req, "identity:group_users:add")

        def add(session: Session) -> None:
            found(session, Group, group_id, "group")
            found(session, User, user_id, "user")
            if session.get(Membership, (user_id, group_id)) is None:
                session.add(Membership(user_id=user_id, group_id=group_id))

        self.db.write(add)
        no_content(resp)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, group_id: str, user_id: str) -> None:
        """Takes the user out of the group; roles of the group end for the user at once."""
        self.allow(req, "identity:group_users:remove")
        self.db.write(lambda session: session.delete(membership(session, group_id, user_id)))
        no_content(resp)


def create(session: Session, given: Given) -> Group:
    """A new group. Raises BadRequest, Conflict."""
    values = given.values
    domain_id = values.get("domain_id") or DEFAULT_DOMAIN
    check_domain(session, domain_id)
    row = Group(
        name=values["name"],
        domain_id=domain_id,
        description=values.get("description") or "",
        extra=given.extra,
    )
    session.add(row)
    flush(session, f"A group named {row.name} is in the domain already: choose another name.")
    return row


def membership(session: Session, group_id: str, user_id: str) -> Membership:
    """The row by which a user is in a group. Raises NotFound."""
    found(session, Group, group_id, "group")
    found(session, User, user_id, "user")
    row = session.get(Membership, (user_id, group_id))
    if row is None:
        raise NotFound(f"User {user_id} is not in group {group_id}.")
    return row
