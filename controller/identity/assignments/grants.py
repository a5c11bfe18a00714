"""Giving, looking at and taking roles: ``/v3/{target}/{actor}/roles/{role_id}`` in all its forms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.identity.assignments.model import SYSTEM, Assignment
from controller.identity.groups.model import Group
from controller.identity.projects.domains import found_domain
from controller.identity.projects.model import Project
from controller.identity.resource import IdentityResource, collection, found, shown
from controller.identity.roles.api import COLUMNS, FIELDS
from controller.identity.roles.model import Role
from controller.identity.users.model import User
from controller.web.errors import Forbidden, NotFound
from controller.web.resource import Cloud, answer, no_content


@dataclass(frozen=True)
class Kind:
    """What a URL is about: ``target`` is project, domain or system, ``actor`` user or group."""

    target: str
    actor: str
    is_inherited: bool = False

    @property
    def rule(self) -> str:
        """The policy's word for it."""
        return "identity:system_grants" if self.target == "system" else "identity:grants"

    def target_id(self, ids: dict[str, str]) -> str:
        """The target as the rows have it."""
        return SYSTEM if self.target == "system" else ids[f"{self.target}_id"]

    def actor_id(self, ids: dict[str, str]) -> str:
        """The user or group."""
        return ids[f"{self.actor}_id"]


class GrantsApi(IdentityResource):
    """The roles that an actor has on a target."""

    def __init__(self, cloud: Cloud, kind: Kind) -> None:
        super().__init__(cloud)
        self.kind = kind

    def on_get(self, req: falcon.Request, resp: falcon.Response, **ids: str) -> None:
        """Lists them: the assigned ones, not what they imply."""
        self.allow(req, f"{self.kind.rule}:list")
        with self.db.read() as session:
            check_ends(session, self.kind, ids)
            rows = session.execute(
                select(*COLUMNS)
                .join(Assignment, Assignment.role_id == Role.id)
                .where(
                    Assignment.actor_id == self.kind.actor_id(ids),
                    Assignment.target_id == self.kind.target_id(ids),
                    Assignment.is_inherited == self.kind.is_inherited,
                )
                .order_by(Role.name)
            ).all()
        view = self.view(req)
        answer(resp, collection(req, "roles", [shown(FIELDS, row, view) for row in rows]))


class GrantApi(IdentityResource):
    """One role of an actor on a target."""

    def __init__(self, cloud: Cloud, kind: Kind) -> None:
        super().__init__(cloud)
        self.kind = kind

    def on_get(self, req: falcon.Request, resp: falcon.Response, role_id: str, **ids: str) -> None:
        """204 if the actor has the role."""
        self.allow(req, f"{self.kind.rule}:get")
        with self.db.read() as session:
            check_ends(session, self.kind, ids)
            _assigned(session, self.kind, ids, role_id)
        no_content(resp)

    def on_put(self, req: falcon.Request, resp: falcon.Response, role_id: str, **ids: str) -> None:
        """Gives the role."""
        self.allow(req, f"{self.kind.rule}:create")
        self.db.write(lambda session: grant(session, self.kind, ids, role_id))
        no_content(resp)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, role_id: str, **ids: str) -> None:
        """Takes the role: tokens that have no other in this scope end at once."""
        self.allow(req, f"{self.kind.rule}:delete")
        self.db.write(lambda session: session.delete(_assigned(session, self.kind, ids, role_id)))
        no_content(resp)


def of(target: str, actor: str, is_inherited: bool = False) -> Callable[[Cloud], GrantsApi]:
    """For the table of routes: the list."""
    return lambda cloud: GrantsApi(cloud, Kind(target, actor, is_inherited))


def one_of(target: str, actor: str, is_inherited: bool = False) -> Callable[[Cloud], GrantApi]:
    """For the table of routes: one role."""
    return lambda cloud: GrantApi(cloud, Kind(target, actor, is_inherited))


def grant(session: Session, kind: Kind, ids: dict[str, str], role_id: str) -> None:
    """Gives a role; safe to repeat. Raises NotFound, and Forbidden for a role of another domain."""
    target = check_ends(session, kind, ids)
    role: Role = found(session, Role, role_id, "role")
    if role.domain_id and (target is None or role.domain_id != (target.domain_id or target.id)):
        raise Forbidden(f"The role {role.name} is of the domain {role.domain_id} and only used there.")
    key = (kind.actor_id(ids), kind.target_id(ids), role_id, kind.is_inherited)
    if session.get(Assignment, key) is None:
        session.add(
            Assignment(
                actor_id=key[0],
                target_id=key[1],
                role_id=role_id,
                is_inherited=kind.is_inherited,
                actor_type=kind.actor,
                target_type=kind.target,
            )
        )


def check_ends(session: Session, kind: Kind, ids: dict[str, str]) -> Project | None:
    """The target's row, None for the system. Raises NotFound when target or actor is not there."""
    actor: tuple[type[Any], str] = (User, "user") if kind.actor == "user" else (Group, "group")
    found(session, actor[0], kind.actor_id(ids), actor[1])
    if kind.target == "system":
        return None
    if kind.target == "domain":
        return found_domain(session, ids["domain_id"])
    project: Project = found(session, Project, ids["project_id"], "project")
    return project


def _assigned(session: Session, kind: Kind, ids: dict[str, str], role_id: str) -> Assignment:
    found(session, Role, role_id, "role")
    row = session.get(Assignment, (kind.actor_id(ids), kind.target_id(ids), role_id, kind.is_inherited))
    if row is None:
        raise NotFound(f"Could not find role assignment of role {role_id} for {kind.actor} on {kind.target}.")
    return row
