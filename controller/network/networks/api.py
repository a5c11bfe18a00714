"""The networks API."""

from typing import Any

from sqlalchemy.orm import Session

from controller.network.collection import Collection, Member
from controller.network.networks.create import create
from controller.network.networks.delete import delete
from controller.network.networks.kind import KIND
from controller.network.networks.model import Network
from controller.network.networks.update import update
from controller.web.caller import Caller


class Networks(Collection):
    """``/networks``."""

    kind = KIND

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> Network:
        """A network."""
        return create(session, caller, values)


class NetworkMember(Member):
    """``/networks/{row_id}``."""

    kind = KIND

    def update(self, session: Session, caller: Caller, row: Network, values: dict[str, Any]) -> None:
        """Its new values."""
        update(session, caller, row, values)

    def delete(self, session: Session, caller: Caller, row: Network) -> None:
        """Its end."""
        delete(session, row)
