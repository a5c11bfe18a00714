"""The addresses of an address group: checked, added, removed."""

import ipaddress
from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import refusals, standard
from controller.network.address_groups.fields import MOST
from controller.network.address_groups.model import AddressGroup


def normal(given: Iterable[str] | None) -> list[str]:
    """Prefixes in their usual writing, each once. Raises BadRequest."""
    return _ordered({_prefix(text) for text in given or ()})


def add(session: Session, group: AddressGroup, given: Sequence[str]) -> None:
    """Raises BadRequest for addresses that are there already, and for too many."""
    standard.lock_row(session, group, "address group")
    new = normal(given)
    if known := [text for text in new if text in group.addresses]:
        raise refusals.invalid(
            f"Addresses {known} already exist in the address group {group.id}.", "AddressesAlreadyExist"
        )
    if len(group.addresses) + len(new) > MOST:
        raise refusals.invalid(f"Address group {group.id} may have {MOST} addresses at most.")
    _write(session, group, [*group.addresses, *new])


def remove(session: Session, group: AddressGroup, given: Sequence[str]) -> None:
    """Raises NotFound for addresses that are not there."""
    standard.lock_row(session, group, "address group")
    gone = normal(given)
    if unknown := [text for text in gone if text not in group.addresses]:
        raise refusals.absent(
            f"Addresses {unknown} not found in the address group {group.id}.", "AddressesNotFound"
        )
    _write(session, group, [text for text in group.addresses if text not in gone])


def _write(session: Session, group: AddressGroup, found: Iterable[str]) -> None:
    group.addresses = _ordered(found)
    standard.touch(group)
    session.flush()
    outbox.changed(session, "address_group", group.id)


def _ordered(found: Iterable[str]) -> list[str]:
    networks = (ipaddress.ip_network(text) for text in found)
    return [
        str(net) for net in sorted(networks, key=lambda n: (n.version, n.network_address.packed, n.prefixlen))
    ]


def _prefix(text: str) -> str:
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError:
        raise refusals.malformed(f"Invalid input for addresses. Reason: '{text}' is no IP subnet.") from None
    if getattr(interface, "scope_id", None):
        raise refusals.malformed(f"Invalid input for addresses. Reason: '{text}' has a zone.")
    return str(interface.network)
