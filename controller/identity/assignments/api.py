"""GET /v3/role_assignments"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.identity.assignments.entries import SYSTEM, Entry, Wanted, entries
from controller.identity.groups.model import Group
from controller.identity.projects.model import Project, ProjectAncestor
from controller.identity.resource import IdentityResource, collection, enabled
from controller.identity.roles.model import Role
from controller.identity.users.model import User
from controller.web.errors import BadRequest
from controller.web.resource import answer, base_url, params_of


class RoleAssignmentsApi(IdentityResource):
    """See the module."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists who has which role where."""
        self.allow(req, "identity:role_assignments:list")
        params = {k: v[0] for k, v in params_of(req).items()}
        wanted = _wanted(params)
        with self.db.read() as session:
            if _is_asked(params, "include_subtree"):
                wanted = _with_subtree(session, wanted)
            found = entries(session, wanted)
            names = _names(session) if _is_asked(params, "include_names") else None
        shown = [_shown(entry, names, base_url(req)) for entry in found]
        answer(resp, collection(req, "role_assignments", shown))


@dataclass(frozen=True)
class Names:
    """Names by id, each with the id of its domain."""

    actors: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    roles: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    projects: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def _is_asked(params: Mapping[str, str], name: str) -> bool:
    return name in params and enabled(params[name])


def _wanted(params: Mapping[str, str]) -> Wanted:
    """From the query. Raises BadRequest for filters that contradict each other."""
    is_effective = _is_asked(params, "effective")
    inherited = params.get("scope.OS-INHERIT:inherited_to")
    scopes = [params[name] for name in ("scope.project.id", "scope.domain.id") if params.get(name)]
    if params.get("scope.system"):
        scopes.append(SYSTEM)
    if len(scopes) > 1:
        raise BadRequest("Ask for one scope only: a project, a domain or the system.")
    if params.get("user.id") and params.get("group.id"):
        raise BadRequest("Ask for a user or for a group, not for both.")
    if is_effective and params.get("group.id"):
        raise BadRequest("Effective assignments are of users: leave group.id out.")
    if "include_subtree" in params and not params.get("scope.project.id"):
        raise BadRequest("include_subtree needs scope.project.id.")
    if inherited not in (None, "projects"):
        raise BadRequest("scope.OS-INHERIT:inherited_to can only be projects.")
    return Wanted(
        user_id=params.get("user.id", ""),
        group_id=params.get("group.id", ""),
        role_id=params.get("role.id", ""),
        targets=frozenset(scopes),
        is_inherited=inherited is not None,
        is_effective=is_effective,
    )


def _with_subtree(session: Session, wanted: Wanted) -> Wanted:
    (project_id,) = wanted.targets
    below = session.scalars(
        select(ProjectAncestor.project_id).where(ProjectAncestor.ancestor_id == project_id)
    )
    return Wanted(
        user_id=wanted.user_id,
        group_id=wanted.group_id,
        role_id=wanted.role_id,
        targets=frozenset([project_id, *below]),
        is_inherited=wanted.is_inherited,
        is_effective=wanted.is_effective,
    )


def _names(session: Session) -> Names:
    def of(model: Any) -> dict[str, tuple[str, str]]:
        return {
            row[0]: (row[1], row[2]) for row in session.execute(select(model.id, model.name, model.domain_id))
        }

    return Names({**of(User), **of(Group)}, of(Role), of(Project))


def _shown(entry: Entry, names: Names | None, url: str) -> dict[str, Any]:
    domains = names.projects if names else {}
    role = _reference(entry.role_id, names.roles if names else None, domains)
    actor = _reference(entry.actor_id, names.actors if names else None, domains)
    links = {"assignment": _assignment_url(entry, url)}
    if entry.group_id:
        links["membership"] = f"{url}/v3/groups/{entry.group_id}/users/{entry.actor_id}"
    if entry.prior_role_id:
        links["prior_role"] = f"{url}/v3/roles/{entry.prior_role_id}"
    return {
        "role": role,
        entry.actor_type: actor,
        "scope": _scope(entry, names, domains),
        "links": links,
    }


def _scope(entry: Entry, names: Names | None, domains: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    if entry.target_type == "system":
        return {"system": {"all": True}}
    target = _reference(entry.target_id, names.projects if names else None, domains)
    scope: dict[str, Any] = {entry.target_type: target}
    if entry.is_inherited:
        scope["OS-INHERIT:inherited_to"] = "projects"
    return scope


def _reference(
    some_id: str, names: Mapping[str, tuple[str, str]] | None, domains: Mapping[str, tuple[str, str]]
) -> dict[str, Any]:
    if names is None:
        return {"id": some_id}
    name, domain_id = names.get(some_id, ("", ""))
    shown: dict[str, Any] = {"id": some_id, "name": name}
    if domain_id:
        shown["domain"] = {"id": domain_id, "name": domains.get(domain_id, ("", ""))[0]}
    return shown


def _assignment_url(entry: Entry, url: str) -> str:
    """Where the assignment that the line comes from can be taken back."""
    kind, target_id = entry.above if entry.above[0] else (entry.target_type, entry.target_id)
    target = "system" if kind == "system" else f"{kind}s/{target_id}"
    actor = f"groups/{entry.group_id}" if entry.group_id else f"{entry.actor_type}s/{entry.actor_id}"
    role = entry.prior_role_id or entry.role_id
    path = f"{target}/{actor}/roles/{role}"
    return f"{url}/v3/OS-INHERIT/{path}/inherited_to_projects" if entry.is_inherited else f"{url}/v3/{path}"
