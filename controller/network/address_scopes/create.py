"""Making an address scope."""

from typing import Any

from sqlalchemy.orm import Session

from controller.identity import projects
from controller.network.address_scopes.model import AddressScope
from controller.network.rbac import model as rbac


def create(session: Session, values: dict[str, Any]) -> AddressScope:
    """A new scope."""
    projects.lock(session, values["project_id"])
    is_shared = values.pop("is_shared")
    scope = AddressScope(**values)
    session.add(scope)
    session.flush()
    if is_shared:
        rbac.open_to_all(session, "address_scope", scope)
    return scope
