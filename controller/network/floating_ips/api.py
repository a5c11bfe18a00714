"""The floating IPs API."""

from typing import Any

from sqlalchemy.orm import Session

from controller.network import refusals
from controller.network.collection import Collection, Member
from controller.network.floating_ips.create import create
from controller.network.floating_ips.delete import delete
from controller.network.floating_ips.fields import GIVEN_ADDRESS
from controller.network.floating_ips.kind import KIND
from controller.network.floating_ips.model import FloatingIp
from controller.network.floating_ips.update import update
from controller.web.caller import Caller


class FloatingIps(Collection):
    """``/floatingips``."""

    kind = KIND

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> FloatingIp:
        """A floating IP."""
        if values["floating_ip_address"] and not self.cloud.policy.allows(caller, GIVEN_ADDRESS):
            raise refusals.disallowed(GIVEN_ADDRESS, "floating_ip_address may not be given by your role.")
        return create(session, caller, values)


class FloatingIpMember(Member):
    """``/floatingips/{row_id}``."""

    kind = KIND

    def update(self, session: Session, caller: Caller, row: FloatingIp, values: dict[str, Any]) -> None:
        """Its new values."""
        update(session, caller, row, values)

    def delete(self, session: Session, caller: Caller, row: FloatingIp) -> None:
        """Its end."""
        delete(session, row)
