"""Making an address group."""

from typing import Any

from sqlalchemy.orm import Session

from controller.identity import projects
from controller.network.address_groups import addresses
from controller.network.address_groups.model import AddressGroup


def create(session: Session, values: dict[str, Any]) -> AddressGroup:
    """A new group with its addresses. Raises BadRequest."""
    projects.lock(session, values["project_id"])
    values["addresses"] = addresses.normal(values["addresses"])
    group = AddressGroup(**values, revision_number=1)
    session.add(group)
    return group
