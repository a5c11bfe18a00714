"""Changing an address group's name and description; its addresses have verbs of their own (``addresses.py``)."""

from typing import Any

from sqlalchemy.orm import Session

from controller.network import standard
from controller.network.address_groups.model import AddressGroup


def update(session: Session, group: AddressGroup, values: dict[str, Any]) -> None:
    """Writes the change. Raises NotFound."""
    standard.lock_row(session, group, "address group")
    for name, value in values.items():
        setattr(group, name, value)
    standard.touch(group)
