"""Creating a user."""

from sqlalchemy.orm import Session

from controller.identity.projects.create import given_options
from controller.identity.projects.model import Project
from controller.identity.resource import DEFAULT_DOMAIN, Given, flush
from controller.identity.users.model import User
from controller.web.errors import BadRequest, NotFound


def create(session: Session, given: Given, password_hash: str | None) -> User:
    """A new user; the password was hashed before the transaction. Raises NotFound, BadRequest, Conflict."""
    values = given.values
    domain_id = values.get("domain_id") or DEFAULT_DOMAIN
    check_domain(session, domain_id)
    check_default_project(session, values.get("default_project_id"))
    row = User(
        name=values["name"],
        domain_id=domain_id,
        default_project_id=values.get("default_project_id"),
        is_enabled=values["is_enabled"],
        password_hash=password_hash,
        options=given_options(values),
        extra=given.extra,
    )
    session.add(row)
    flush(session, f"A user named {row.name} is in the domain already: choose another name.")
    return row


def check_domain(session: Session, domain_id: str) -> None:
    """Raises NotFound when there is no such domain."""
    domain = session.get(Project, domain_id)
    if domain is None or not domain.is_domain:
        raise NotFound(f"Could not find domain: {domain_id}.")


def check_default_project(session: Session, project_id: str | None) -> None:
    """Raises BadRequest for a domain; one that is not there is ignored when a token is got."""
    project = session.get(Project, project_id) if project_id else None
    if project is not None and project.is_domain:
        raise BadRequest("A user's default project must not be a domain.")
