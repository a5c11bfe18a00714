"""Whom a token stands for at this moment: one query that says all, or nothing.

User, domains and project must be enabled, the user's security generation must be the token's, the token
not revoked, and for a scope at least one role must be left. Every request passes here, so there is one
prepared statement for each kind of scope and no cache that could remember what is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    false,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.identity.application_credentials.model import (
    ApplicationCredential,
    ApplicationCredentialRole,
)
from controller.identity.assignments.model import SYSTEM as SYSTEM_TARGET
from controller.identity.assignments.model import Assignment
from controller.identity.groups.model import Membership
from controller.identity.projects.model import Project, ProjectAncestor
from controller.identity.roles.model import EffectiveRole, Role
from controller.identity.tokens.model import RevokedToken
from controller.identity.tokens.payload import DOMAIN, PROJECT, SYSTEM, UNSCOPED, Payload
from controller.identity.users.model import User
from controller.web.caller import Caller


@dataclass(frozen=True)
class Named:
    """Id and name of something, with its domain where it has one."""

    id: str
    name: str
    domain: "Named | None" = None


@dataclass(frozen=True)
class Subject:
    """A user in a scope. ``target`` is the project or domain; None when unscoped or on the system."""

    user: Named
    target: Named | None
    roles: tuple[tuple[str, str], ...]


#: Tables rather than mapped classes: it halves what a statement costs.
_user = User.__table__
_user_domain = Project.__table__.alias("user_domain")
_target = Project.__table__.alias("target")
_target_domain = Project.__table__.alias("target_domain")
_assignment = Assignment.__table__
_effective = EffectiveRole.__table__
_role = Role.__table__
_USER_ID: BindParameter[str] = bindparam("user_id")
_TARGET_ID: BindParameter[str] = bindparam("target_id")


def _valid_user() -> Select[Any]:
    revoked = RevokedToken.__table__
    is_revoked = select(literal(1)).where(revoked.c.audit_id == bindparam("audit_id")).exists()
    return (
        select(_user.c.id, _user.c.name, _user.c.domain_id, _user_domain.c.name)
        .join(_user_domain, _user_domain.c.id == _user.c.domain_id)
        .where(
            _user.c.id == _USER_ID,
            _user.c.is_enabled == true(),
            _user_domain.c.is_enabled == true(),
            _user.c.security_generation == bindparam("generation"),
            ~is_revoked,
        )
    )


def _with_roles(
    statement: Select[Any], target_id: ColumnElement[str], is_inheriting: bool = False
) -> Select[Any]:
    """Adds a row for each role that the user, or a group of his, has on the target."""
    member, ancestor = Membership.__table__.c, ProjectAncestor.__table__.c
    groups = select(member.group_id).where(member.user_id == _USER_ID)
    on_target = and_(_assignment.c.target_id == target_id, _assignment.c.is_inherited == false())
    if is_inheriting:
        above = select(ancestor.ancestor_id).where(ancestor.project_id == _TARGET_ID)
        inherited = and_(_assignment.c.is_inherited == true(), _assignment.c.target_id.in_(above))
        on_target = or_(on_target, inherited).self_group()
    is_actor = or_(_assignment.c.actor_id == _user.c.id, _assignment.c.actor_id.in_(groups))
    return (
        statement.join(_assignment, and_(is_actor, on_target))
        .join(_effective, _effective.c.prior_id == _assignment.c.role_id)
        .join(_role, _role.c.id == _effective.c.implied_id)
        .add_columns(_role.c.id, _role.c.name)
    )


def _with_target(is_domain: ColumnElement[bool]) -> Select[Any]:
    is_enabled = and_(_target.c.id == _TARGET_ID, _target.c.is_enabled == true())
    return _valid_user().join(_target, is_enabled).where(_target.c.is_domain == is_domain)


def _in_project() -> Select[Any]:
    is_in_enabled = and_(_target_domain.c.id == _target.c.domain_id, _target_domain.c.is_enabled == true())
    found = _with_target(false()).join(_target_domain, is_in_enabled)
    return _with_roles(found, _target.c.id, is_inheriting=True).add_columns(
        _target.c.id, _target.c.name, _target.c.domain_id, _target_domain.c.name
    )


def _in_domain() -> Select[Any]:
    return _with_roles(_with_target(true()), _target.c.id).add_columns(_target.c.id, _target.c.name)


def _by_credential() -> Select[Any]:
    """The project's statement, narrowed to the roles of an application credential that still holds."""
    credential = ApplicationCredential.__table__.c
    own, effective = (
        ApplicationCredentialRole.__table__.c,
        EffectiveRole.__table__.alias("credential_roles").c,
    )
    is_over = and_(credential.expires_at.is_not(None), credential.expires_at <= bindparam("now"))
    is_valid = select(literal(1)).where(
        credential.id == bindparam("delegation"),
        credential.user_id == _USER_ID,
        credential.project_id == _TARGET_ID,
        not_(is_over),
    )
    is_its_role = select(literal(1)).where(
        own.credential_id == bindparam("delegation"),
        effective.prior_id == own.role_id,
        effective.implied_id == _role.c.id,
    )
    return _in_project().where(is_valid.exists(), is_its_role.correlate(_role).exists())


_BY_CREDENTIAL = _by_credential()
_STATEMENTS: dict[int, Select[Any]] = {
    UNSCOPED: _valid_user(),
    PROJECT: _in_project(),
    DOMAIN: _in_domain(),
    SYSTEM: _with_roles(_valid_user(), _TARGET_ID),
}


def find(session: Session, payload: Payload) -> Subject | None:
    """The subject of a token, or None when it is not valid any more. Its end is not looked at here."""
    given: dict[str, Any] = {
        "user_id": payload.user_id,
        "generation": payload.generation,
        "audit_id": payload.audit_ids[0].decode(),
        "target_id": SYSTEM_TARGET if payload.scope == SYSTEM else payload.target_id,
    }
    statement = _STATEMENTS[payload.scope]
    if payload.delegation:
        statement, given = _BY_CREDENTIAL, {**given, "delegation": payload.delegation_id, "now": now()}
    rows = session.execute(statement, given).all()
    if not rows:
        return None
    first = rows[0]
    user = Named(first[0], first[1], Named(first[2], first[3]))
    if payload.scope == UNSCOPED:
        return Subject(user, None, ())
    return Subject(user, _target_of(first[6:]), tuple({(row[4], row[5]) for row in rows}))


def caller(subject: Subject, payload: Payload) -> Caller:
    """The subject as the services see it."""
    user, target = subject.user, subject.target
    project = target if payload.scope == PROJECT else None
    return Caller(
        user_id=user.id,
        user_name=user.name,
        user_domain_id=user.domain.id if user.domain else "",
        user_domain_name=user.domain.name if user.domain else "",
        project_id=project.id if project else None,
        project_name=project.name if project else None,
        project_domain_id=project.domain.id if project and project.domain else None,
        domain_id=target.id if target and payload.scope == DOMAIN else None,
        is_system=payload.scope == SYSTEM,
        roles=frozenset(name for _, name in subject.roles),
        expires_at=payload.expires_at,
        methods=payload.method_names,
        audit_ids=payload.audit_texts,
        role_ids=tuple(role for role, _ in subject.roles),
        application_credential_id=payload.delegation_id,
    )


def _target_of(columns: Sequence[str]) -> Named | None:
    if not columns:
        return None
    domain = Named(columns[2], columns[3]) if len(columns) > 2 else None
    return Named(columns[0], columns[1], domain)
