"""The ports API."""

import dataclasses
from typing import Any

from sqlalchemy.orm import Session

from controller.network.collection import Collection, Member
from controller.network.ports import check, dhcp_options
from controller.network.ports.create import NewPort, create
from controller.network.ports.delete import delete
from controller.network.ports.kind import KIND
from controller.network.ports.model import Port
from controller.network.ports.update import update
from controller.network.qos import attach
from controller.web.caller import Caller

#: What the verb has a rule for; all else that a body may name is stored as it stands.
_RULED = frozenset(f.name for f in dataclasses.fields(NewPort))


class Ports(Collection):
    """``/ports``."""

    kind = KIND

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> Port:
        """A port."""
        check.device_owner(values["device_owner"], caller.is_admin)
        owner = values.pop("project_id")
        values["extra_dhcp_opts"] = dhcp_options.new(values.get("extra_dhcp_opts"))
        policy_id = values.pop("qos_policy_id", None)
        extra = {n: v for n, v in values.items() if n not in _RULED and v is not None}
        new = NewPort(**_given(values), is_from_user=True, extra=extra)
        port = create(session, owner, new, is_admin=caller.is_admin)
        # after the project and the network, as every verb locks them
        attach.check(session, caller, policy_id)
        port.qos_policy_id = policy_id
        return port


class PortMember(Member):
    """``/ports/{row_id}``."""

    kind = KIND

    def update(self, session: Session, caller: Caller, row: Port, values: dict[str, Any]) -> None:
        """Its new values."""
        update(session, caller, row, values)

    def delete(self, session: Session, caller: Caller, row: Port) -> None:
        """Its end."""
        delete(session, row)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Values of the body as NewPort has them: lists as tuples, absent ones left out."""
    given = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items() if n in _RULED}
    for name in ("fixed_ips", "security_group_ids"):
        if name in given:
            given[name] = given[name] or (None if name == "fixed_ips" else ())
    return given
