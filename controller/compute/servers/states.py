"""The states of a server, as a table: which verb is allowed when, and how a state looks in the API.

    building ──boot done──► active ◄──start──► stopped
       │                      │                   │
       └──boot failed──► error ◄──operation failed (where the guest's state is unknown)
    any ──delete done──► deleted

``task`` (what is under way, "deleting" among them) is orthogonal; while it is set most verbs are refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from controller.web.errors import Conflict


@dataclass(frozen=True)
class Shown:
    """How a state appears: ``status`` and ``vm_state``."""

    status: str
    vm_state: str


SHOWN: Mapping[str, Shown] = {
    "building": Shown("BUILD", "building"),
    "active": Shown("ACTIVE", "active"),
    "stopped": Shown("SHUTOFF", "stopped"),
    "error": Shown("ERROR", "error"),
    "deleted": Shown("DELETED", "deleted"),
}

#: While these tasks run an active server shows another status.
_STATUS_OF_TASK = {"rebooting": "REBOOT", "rebooting_hard": "HARD_REBOOT"}

#: power_state of the API: 0 no state, 1 running, 3 paused, 4 shut down, 6 crashed.
POWER_STATES = {"on": 1, "paused": 3, "off": 4, "crashed": 6, "absent": 0}

#: verb -> states in which it may begin; all of them need that no other task is under way, except those in
#: INTERRUPTING.
ALLOWED: Mapping[str, frozenset[str]] = {
    "os-start": frozenset({"stopped"}),
    "os-stop": frozenset({"active", "error"}),
    "reboot soft": frozenset({"active"}),
    "reboot hard": frozenset({"active", "stopped", "error"}),
    "attach_volume": frozenset({"active", "stopped"}),
    "detach_volume": frozenset({"active", "stopped"}),
    "attach_interface": frozenset({"active", "stopped"}),
    "detach_interface": frozenset({"active", "stopped"}),
    "delete": frozenset({"building", "active", "stopped", "error"}),
}
#: Verbs that may begin while another task is under way: they put it aside or run beside it.
INTERRUPTING = frozenset({"delete", "attach_volume", "detach_volume", "attach_interface", "detach_interface"})


def shown(state: str, task: str | None) -> Shown:
    """How a server looks in the API."""
    found = SHOWN[state]
    status = _STATUS_OF_TASK.get(task or "", found.status) if state == "active" else found.status
    return Shown(status, found.vm_state)


def status_filter(status: str) -> tuple[str, ...]:
    """The states that a ``status=`` filter means; empty for a word that is no status."""
    wanted = status.upper()
    return tuple(state for state, s in SHOWN.items() if s.status == wanted)


def require(server_id: str, verb: str, state: str, task: str | None) -> None:
    """Raises Conflict, which names the states that would do, if ``verb`` may not begin now."""
    allowed = ALLOWED[verb]
    if state not in allowed:
        states = ", ".join(sorted(allowed))
        raise Conflict(
            f"Cannot '{verb.split()[0]}' instance {server_id} while it is in vm_state "
            f"{SHOWN[state].vm_state}: it must be in {states}."
        )
    if task is not None and verb not in INTERRUPTING:
        raise Conflict(
            f"Cannot '{verb.split()[0]}' instance {server_id} while it is in task_state {task}: "
            "wait until that is done."
        )
