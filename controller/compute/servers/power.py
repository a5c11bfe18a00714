"""start, stop and reboot: verbs that change what power is wanted."""

from sqlalchemy.orm import Session

from controller.compute.servers import lookup, states
from controller.compute.servers.model import Server
from controller.compute.servers.operations import power, reboot
from controller.operations.begin import begin
from controller.operations.step import Definition
from controller.web.caller import Caller
from controller.web.errors import Conflict

_TASK = {
    "os-start": "powering-on",
    "os-stop": "powering-off",
    "reboot soft": "rebooting",
    "reboot hard": "rebooting_hard",
}
_DEFINITION: dict[str, Definition] = {
    "os-start": power.START,
    "os-stop": power.STOP,
    "reboot soft": reboot.SOFT,
    "reboot hard": reboot.HARD,
}


def change_power(session: Session, caller: Caller, server_id: str, verb: str) -> None:
    """Begins ``verb``: os-start, os-stop, "reboot soft" or "reboot hard".

    Raises NotFound, and Conflict when the state does not allow it.
    """
    server = unlocked(session, caller, server_id)
    states.require(server_id, verb, server.state, server.task)
    server.task = _TASK[verb]
    begin(session, _DEFINITION[verb], f"server:{server_id}", (server.project_id, caller.user_id))


def unlocked(session: Session, caller: Caller, server_id: str) -> Server:
    """The server, its row locked, unless its owner locked it against changes. Raises Conflict."""
    server = lookup.find(session, caller, server_id, lock=True)
    if server.is_locked and not caller.is_admin:
        raise Conflict(f"Instance {server_id} is locked: unlock it first.")
    return server
