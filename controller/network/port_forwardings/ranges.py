"""Ranges of ports: read from bodies, compared, written. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from controller.network import refusals

#: First and last port, both in it.
Range = tuple[int, int]


def asked(values: Mapping[str, Any], side: str, before: Range | None = None) -> Range:
    """The range that a body asks for by ``{side}_port`` or ``{side}_port_range``; ``before`` if by neither.

    Raises BadRequest.
    """
    one, text = values.get(f"{side}_port"), values.get(f"{side}_port_range")
    if one is not None and text is not None and _parsed(text) != (one, one):
        raise refusals.bad("port_forwarding", f"{side}_port and {side}_port_range differ: give one of them")
    if text is not None:
        return _parsed(text)
    if one is not None:
        return one, one
    if before is None:
        raise refusals.bad("port_forwarding", f"Give {side}_port or {side}_port_range.")
    return before


def check_lengths(internal: Range, external: Range) -> None:
    """As many inner ports as outer ones. Raises BadRequest.

    Neutron also leads a range to a single port; our hosts do not, so it is refused here and not on the host.
    """
    lengths = [last - first for first, last in (internal, external)]
    if lengths[0] != lengths[1]:
        raise refusals.bad(
            "port_forwarding",
            "There must be as many internal ports as external ones.",
        )


def check_apart(wanted: Range, others: Iterable[Range], side: str) -> None:
    """No port is in use by another forwarding. Raises BadRequest."""
    for other in others:
        if max(wanted[0], other[0]) <= min(wanted[1], other[1]):
            raise refusals.bad(
                "port_forwarding",
                f"Another forwarding has {side} ports {written(other)}, which {written(wanted)} overlaps.",
            )


def written(ports: Range) -> str:
    """ "first:last", for one port too."""
    return f"{ports[0]}:{ports[1]}"


def shown(ports: Range) -> str:
    """One port, or "first:last"."""
    return str(ports[0]) if ports[0] == ports[1] else written(ports)


def _parsed(text: str) -> Range:
    first, _, last = text.partition(":")
    found = int(first), int(last or first)
    if not 1 <= found[0] <= found[1] <= 65535:
        raise refusals.bad(
            "port_forwarding", "A port is a number from 1 to 65535, the first of a range not above the last."
        )
    return found
