"""The subnets API."""

from typing import Any

from sqlalchemy.orm import Session

from controller.network.collection import Collection, Member
from controller.network.subnets.create import create
from controller.network.subnets.delete import delete
from controller.network.subnets.kind import KIND
from controller.network.subnets.model import Subnet
from controller.network.subnets.update import update
from controller.web.caller import Caller


class Subnets(Collection):
    """``/subnets``."""

    kind = KIND

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> Subnet:
        """A subnet."""
        return create(session, caller, values)


class SubnetMember(Member):
    """``/subnets/{row_id}``."""

    kind = KIND

    def update(self, session: Session, caller: Caller, row: Subnet, values: dict[str, Any]) -> None:
        """Its new values."""
        update(session, row, values)

    def delete(self, session: Session, caller: Caller, row: Subnet) -> None:
        """Its end."""
        delete(session, row)
