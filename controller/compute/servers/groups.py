"""A server's security groups: those of its ports."""

from sqlalchemy.orm import Session

from controller.compute.servers import lookup
from controller.network.ports import groups as port_groups
from controller.network.ports import server as server_ports
from controller.web.caller import Caller
from controller.web.errors import NotFound


def change_group(session: Session, caller: Caller, server_id: str, change: tuple[str, bool]) -> None:
    """Adds a group to all ports of the server, or takes it off; ``change`` is (name or id, is added).

    Raises NotFound for a group that is not there or (taken off) not on any port.
    """
    name, is_added = change
    server = lookup.find(session, caller, server_id)
    group_id = server_ports.resolve_groups(session, server.project_id, [name])[0]
    if not port_groups.change_group(session, server_id, group_id, is_added):
        raise NotFound(f"Security group {name} is not associated with the instance {server_id}.")
