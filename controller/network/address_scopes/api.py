"""The address scopes API."""

from typing import Any

from sqlalchemy.orm import Session

from controller.network.address_scopes.create import create
from controller.network.address_scopes.delete import delete
from controller.network.address_scopes.kind import KIND
from controller.network.address_scopes.model import AddressScope
from controller.network.address_scopes.update import update
from controller.network.collection import Collection, Member
from controller.web.caller import Caller


class AddressScopes(Collection):
    """``/address-scopes``."""

    kind = KIND

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> AddressScope:
        """A scope."""
        return create(session, values)


class AddressScopeMember(Member):
    """``/address-scopes/{row_id}``."""

    kind = KIND

    def update(self, session: Session, caller: Caller, row: AddressScope, values: dict[str, Any]) -> None:
        """Its new values."""
        update(session, caller, row, values)

    def delete(self, session: Session, caller: Caller, row: AddressScope) -> None:
        """Its end."""
        delete(session, row)
