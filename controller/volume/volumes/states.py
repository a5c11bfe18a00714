"""The states of a volume, as a table: which event is allowed when, and where it leads.

    creating ─(image)─► downloading ──► available ──► reserved ──► attaching ──► in-use
        └────────┬───────────┘            │  ▲ ▲          │            │           │ ▲
                 ▼                        │  │ └──────────┴────────────┴◄─ detaching ┘
               error ──► deleting ◄───────┘  └─ extending ──► error_extending
                            └──► error_deleting

With attachments the status follows from theirs (``of_attachments``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.web.errors import BadRequest

#: Every status that an administrator may reset a volume to.
RESETTABLE = frozenset(
    {
        "creating",
        "available",
        "error",
        "in-use",
        "attaching",
        "detaching",
        "reserved",
        "maintenance",
        "error_extending",
        "error_restoring",
        "error_backing-up",
        "error_managing",
        "awaiting-transfer",
        "backing-up",
        "restoring-backup",
        "downloading",
        "uploading",
        "retyping",
        "extending",
        "managing",
    }
)


@dataclass(frozen=True)
class Move:
    """One event: from which statuses, and to which. ``multiattach`` statuses count for such volumes too."""

    source: tuple[str, ...]
    target: str
    multiattach: tuple[str, ...] = ()


MOVES: Mapping[str, Move] = {
    "download": Move(("creating",), "downloading"),
    "made": Move(("creating", "downloading"), "available"),
    "fail": Move(("creating", "downloading"), "error"),
    "delete": Move(
        ("available", "error", "error_restoring", "error_extending", "error_managing"), "deleting"
    ),
    "reserve": Move(("available",), "reserved", multiattach=("in-use",)),
    "attach": Move(("available", "attaching"), "in-use", multiattach=("in-use",)),
    "begin detaching": Move(("in-use",), "detaching"),
    "roll detaching": Move(("detaching",), "in-use"),
    "extend": Move(("available",), "extending"),
    "extended": Move(("extending",), "available"),
    "update the readonly flag": Move(("available",), "available"),
}

#: States of attachments, the one that decides a volume's status first.
_STATUS_OF = {
    "detaching": "detaching",
    "attaching": "attaching",
    "attached": "in-use",
    "reserved": "reserved",
}
#: The same where several may attach: it stays in use while others come and go.
_STATUS_OF_SHARED = {"attached": "in-use", **_STATUS_OF}


def allows(event: str, status: str, is_multiattach: bool = False) -> bool:
    """Whether an event may happen in a status."""
    move = MOVES[event]
    return status in move.source or (is_multiattach and status in move.multiattach)


def require(event: str, status: str, is_multiattach: bool = False) -> None:
    """Raises BadRequest, which names the statuses that would do, if the event may not happen now."""
    if allows(event, status, is_multiattach):
        return
    move = MOVES[event]
    wanted = " or ".join(move.source + (move.multiattach if is_multiattach else ()))
    raise BadRequest(
        f"Invalid volume: Volume status must be {wanted} to {event}, but the status is {status}.",
        kind="InvalidVolume",
    )


def of_attachments(states: Iterable[str], is_multiattach: bool) -> str:
    """The status of a made volume with attachments in these states."""
    present = set(states)
    order = _STATUS_OF_SHARED if is_multiattach else _STATUS_OF
    return next((status for state, status in order.items() if state in present), "available")
