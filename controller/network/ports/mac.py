"""MAC addresses: checked, and chosen at random under our prefix."""

import re
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import refusals
from controller.network.ports.model import Port

PREFIX = "fa:16:3e"
_TRIES = 16


def checked(session: Session, network_id: str, text: str) -> str:
    """A MAC that a user asks for, in the usual writing. Raises BadRequest, and Conflict when it is taken."""
    found = normal(text)
    if _is_taken(session, network_id, found):
        raise refusals.in_use(
            f"Unable to complete operation for network {network_id}. The mac address {found} is in use.",
            "MacAddressInUse",
        )
    return found


def normal(text: str) -> str:
    """Six octets with colons, lower case. Raises BadRequest for others, and for multicast and zero."""
    digits = re.sub(r"[:-]", "", text).lower()
    if not re.fullmatch(r"([0-9A-Fa-f]{2}[:-]?){5}[0-9A-Fa-f]{2}", text) or len(digits) != 12:
        raise refusals.malformed(f"Invalid input for mac_address. '{text}' is not a valid MAC address.")
    if int(digits, 16) == 0 or int(digits[:2], 16) & 1:
        raise refusals.malformed(f"Invalid input for mac_address. '{text}' is not of one interface.")
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def unused(session: Session, network_id: str) -> str:
    """A random MAC that no port of the network has."""
    for _ in range(_TRIES):
        octets = secrets.token_bytes(3)
        found = f"{PREFIX}:{octets[0]:02x}:{octets[1]:02x}:{octets[2]:02x}"
        if not _is_taken(session, network_id, found):
            return found
    raise refusals.in_use(
        f"Unable to generate unique mac on network {network_id}.", "MacAddressGenerationFailure"
    )


def _is_taken(session: Session, network_id: str, mac_address: str) -> bool:
    statement = select(Port.id).where(Port.network_id == network_id, Port.mac_address == mac_address)
    return session.scalar(statement) is not None
