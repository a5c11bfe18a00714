"""Role assignments as a list: as they were given, or as what they come to (effective)."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from controller.identity.assignments.effective import actor_ids_of
from controller.identity.assignments.model import SYSTEM, Assignment
from controller.identity.groups.model import Membership
from controller.identity.projects.model import ProjectAncestor
from controller.identity.roles.model import EffectiveRole


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to; empty for any. ``targets`` are ids of projects or domains, or SYSTEM."""

    user_id: str = ""
    group_id: str = ""
    role_id: str = ""
    targets: frozenset[str] = frozenset()
    is_inherited: bool = False
    is_effective: bool = False


@dataclass(frozen=True)
class Entry:
    """One line. What it comes from, where that is something else: the group, the role, the target above."""

    actor_type: str
    actor_id: str
    role_id: str
    target_type: str
    target_id: str
    is_inherited: bool
    group_id: str = ""
    prior_role_id: str = ""
    above: tuple[str, str] = ("", "")


def entries(session: Session, wanted: Wanted) -> list[Entry]:
    """The lines, in a constant number of queries."""
    rows = session.execute(
        select(
            Assignment.actor_type,
            Assignment.actor_id,
            Assignment.role_id,
            Assignment.target_type,
            Assignment.target_id,
            Assignment.is_inherited,
        )
        .where(*_narrowed(wanted))
        .order_by(Assignment.actor_id, Assignment.target_id, Assignment.role_id)
    )
    found: Iterable[Entry] = (Entry(*row) for row in rows.all())
    if not wanted.is_effective:
        return list(found)
    found = _to_users(session, _to_projects(session, _to_roles(session, found)))
    return [entry for entry in dict.fromkeys(found) if _is_wanted(entry, wanted)]


def _narrowed(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """Conditions that rows must meet already; effective lists can only be narrowed by user and group."""
    if wanted.group_id:
        yield Assignment.actor_id == wanted.group_id
    if wanted.is_inherited:
        yield Assignment.is_inherited.is_(True)
    if wanted.is_effective:
        if wanted.user_id:
            yield actor_ids_of(wanted.user_id)
        return
    if wanted.user_id:
        yield Assignment.actor_id == wanted.user_id
    if wanted.role_id:
        yield Assignment.role_id == wanted.role_id
    if wanted.targets:
        yield Assignment.target_id.in_(wanted.targets)


def _is_wanted(entry: Entry, wanted: Wanted) -> bool:
    return (
        wanted.user_id in ("", entry.actor_id)
        and wanted.role_id in ("", entry.role_id)
        and (not wanted.targets or entry.target_id in wanted.targets)
    )


def _to_roles(session: Session, found: Iterable[Entry]) -> Iterator[Entry]:
    implied: dict[str, list[str]] = defaultdict(list)
    for prior_id, role_id in session.execute(select(EffectiveRole.prior_id, EffectiveRole.implied_id)):
        implied[prior_id].append(role_id)
    for entry in found:
        for role_id in implied[entry.role_id]:
            prior = "" if role_id == entry.role_id else entry.role_id
            yield dataclasses.replace(entry, role_id=role_id, prior_role_id=prior)


def _to_projects(session: Session, found: Iterable[Entry]) -> Iterator[Entry]:
    below: dict[str, list[str]] = defaultdict(list)
    for project_id, ancestor_id in session.execute(
        select(ProjectAncestor.project_id, ProjectAncestor.ancestor_id)
    ):
        below[ancestor_id].append(project_id)
    for entry in found:
        if not entry.is_inherited:
            yield entry
            continue
        for project_id in below[entry.target_id]:
            yield dataclasses.replace(
                entry,
                target_type="project",
                target_id=project_id,
                above=(entry.target_type, entry.target_id),
            )


def _to_users(session: Session, found: Iterable[Entry]) -> Iterator[Entry]:
    members: dict[str, list[str]] = defaultdict(list)
    for user_id, group_id in session.execute(select(Membership.user_id, Membership.group_id)):
        members[group_id].append(user_id)
    for entry in found:
        if entry.actor_type == "user":
            yield entry
            continue
        for user_id in members[entry.actor_id]:
            yield dataclasses.replace(entry, actor_type="user", actor_id=user_id, group_id=entry.actor_id)


__all__ = ["SYSTEM", "Entry", "Wanted", "entries"]
