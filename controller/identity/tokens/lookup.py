"""From the names in a request for a token to rows, by statements that are made once: that is dear."""

from typing import Any

from sqlalchemy import Select, and_, bindparam, false, select, true
from sqlalchemy.orm import Session

from controller.identity.application_credentials.model import ApplicationCredential
from controller.identity.projects.model import Project
from controller.identity.tokens.request import Reference
from controller.identity.users.model import User

_user = User.__table__
_project = Project.__table__
_domain = Project.__table__.alias("domain")

_USERS = select(
    _user.c.id,
    _user.c.password_hash,
    _user.c.is_enabled,
    _user.c.security_generation,
    _user.c.default_project_id,
    _domain.c.is_enabled.label("domain_is_enabled"),
).join(_domain, and_(_domain.c.id == _user.c.domain_id, _domain.c.is_domain == true()))
_PROJECTS = (
    select(_project.c.id)
    .join(_domain, _domain.c.id == _project.c.domain_id)
    .where(_project.c.name == bindparam("name"), _project.c.is_domain == false())
)
_DOMAINS = select(_domain.c.id).where(_domain.c.name == bindparam("name"), _domain.c.is_domain == true())
_BY_DOMAIN_ID = _domain.c.id == bindparam("domain_id")
_BY_DOMAIN_NAME = _domain.c.name == bindparam("domain_name")
_USER_BY_ID = _USERS.where(_user.c.id == bindparam("id"))
_USERS_BY_NAME = _USERS.where(_user.c.name == bindparam("name"))
_USER_BY_NAME = (_USERS_BY_NAME.where(_BY_DOMAIN_ID), _USERS_BY_NAME.where(_BY_DOMAIN_NAME))
_PROJECT_BY_NAME = (_PROJECTS.where(_BY_DOMAIN_ID), _PROJECTS.where(_BY_DOMAIN_NAME))

_credential = ApplicationCredential.__table__
_CREDENTIALS = (
    select(
        _credential.c.id,
        _credential.c.user_id,
        _credential.c.project_id,
        _credential.c.secret_hash,
        _credential.c.expires_at,
        _user.c.is_enabled,
        _user.c.security_generation,
        _domain.c.is_enabled.label("domain_is_enabled"),
    )
    .join(_user, _user.c.id == _credential.c.user_id)
    .join(_domain, _domain.c.id == _user.c.domain_id)
)
_CREDENTIAL_BY_ID = _CREDENTIALS.where(_credential.c.id == bindparam("id"))
_CREDENTIAL_BY_NAME = _CREDENTIALS.where(
    _credential.c.user_id == bindparam("user_id"), _credential.c.name == bindparam("name")
)


def credential(session: Session, credential_id: str) -> Any:
    """An application credential with what its user stands like; None when there is none."""
    return session.execute(_CREDENTIAL_BY_ID, {"id": credential_id}).first()


def credential_named(session: Session, user_id: str, name: str) -> Any:
    """As ``credential``, by the name it has with its user."""
    return session.execute(_CREDENTIAL_BY_NAME, {"user_id": user_id, "name": name}).first()


def user(session: Session, wanted: Reference) -> Any:
    """The user's row, also when disabled, with ``domain_is_enabled``; None when there is none."""
    if wanted.id:
        return session.execute(_USER_BY_ID, {"id": wanted.id}).first()
    return _in_domain(session, _USER_BY_NAME, wanted)


def project_id(session: Session, wanted: Reference) -> str | None:
    """The id of a project by its name."""
    row = _in_domain(session, _PROJECT_BY_NAME, wanted)
    return None if row is None else str(row[0])


def domain_id(session: Session, wanted: Reference) -> str | None:
    """The id of a domain by its name."""
    return session.execute(_DOMAINS, {"name": wanted.name}).scalar()


def _in_domain(session: Session, statements: tuple[Select[Any], Select[Any]], wanted: Reference) -> Any:
    """Something by its name, in a domain by id or by name."""
    if wanted.domain_id:
        return session.execute(statements[0], {"name": wanted.name, "domain_id": wanted.domain_id}).first()
    return session.execute(statements[1], {"name": wanted.name, "domain_name": wanted.domain_name}).first()
