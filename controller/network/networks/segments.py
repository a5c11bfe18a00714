"""How a network is carried: the provider attributes checked, and a free VNI or VLAN found.

That two networks never get one segment is kept by the unique ``segment_key``.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import options, refusals
from controller.network.networks.model import Network

#: What VXLAN over IPv4 takes of every frame.
VXLAN_OVERHEAD = 50
_TRIES = 32
_VNI_MAX, _VLAN_MAX = (1 << 24) - 1, 4094


@dataclass(frozen=True)
class Segment:
    """A choice of carriage. ``segmentation_id`` None where the type has none, or none is chosen yet."""

    network_type: str
    physical_network: str | None = None
    segmentation_id: int | None = None

    @property
    def key(self) -> str | None:
        """What no two networks share; None for local ones, which never leave their host."""
        if self.network_type == "local":
            return None
        number = "" if self.segmentation_id is None else self.segmentation_id
        return f"{self.network_type}:{self.physical_network or ''}:{number}"

    @property
    def max_mtu(self) -> int:
        """The largest MTU that fits."""
        physical: int = options.settings().physical_mtu
        return physical - VXLAN_OVERHEAD if self.network_type == "vxlan" else physical


def asked(network_type: str | None, physical_network: str | None, segmentation_id: int | None) -> Segment:
    """The segment that provider attributes ask for. Raises BadRequest for what does not go together."""
    if not network_type:
        if physical_network or segmentation_id is not None:
            raise refusals.invalid("network_type required when other provider attributes are given.")
        return Segment(options.settings().tenant_network_type)
    check = _CHECKS.get(network_type)
    if check is None:
        raise refusals.invalid(
            f"network_type value '{network_type}' not supported: use one of {sorted(_CHECKS)}."
        )
    segment = Segment(network_type, physical_network or None, segmentation_id)
    check(segment)
    return segment


def settle(session: Session, segment: Segment) -> Segment:
    """The segment with a free id chosen where it needs one. Raises Conflict when taken or none is left."""
    if segment.network_type in ("flat", "local") or segment.segmentation_id is not None:
        if segment.key and _is_taken(session, segment):
            raise refusals.in_use(
                f"The segment {segment.key} is in use by another network.", _taken_kind(segment)
            )
        return segment
    first, last = _range(segment.network_type)
    for _ in range(_TRIES):
        chosen = _with_id(segment, random.randint(first, last))
        if not _is_taken(session, chosen):
            return chosen
    return _with_id(segment, _first_gap(session, segment, first, last))


def _with_id(segment: Segment, segmentation_id: int) -> Segment:
    return Segment(segment.network_type, segment.physical_network, segmentation_id)


def _range(network_type: str) -> tuple[int, int]:
    settings = options.settings()
    text = settings.vni_range if network_type == "vxlan" else settings.vlan_range
    first, _, last = text.partition(":")
    return int(first), int(last)


def _is_taken(session: Session, segment: Segment) -> bool:
    return session.scalar(select(Network.id).where(Network.segment_key == segment.key)) is not None


def _first_gap(session: Session, segment: Segment, first: int, last: int) -> int:
    """Reached only when the range is almost used up."""
    statement = select(Network.segmentation_id).where(
        Network.network_type == segment.network_type,
        Network.physical_network == segment.physical_network
        if segment.physical_network
        else Network.physical_network.is_(None),
    )
    used = set(session.scalars(statement))
    gap = next((number for number in range(first, last + 1) if number not in used), None)
    if gap is None:
        raise refusals.in_use(
            "Unable to create the network. No tenant network is available for allocation.",
            "NoNetworkAvailable",
        )
    return gap


def _taken_kind(segment: Segment) -> str:
    return {"vlan": "VlanIdInUse", "flat": "FlatNetworkInUse"}.get(segment.network_type, "TunnelIdInUse")


def _check_vxlan(segment: Segment) -> None:
    if segment.physical_network:
        raise refusals.invalid("provider:physical_network specified for VXLAN network")
    _in_range(segment, 1, _VNI_MAX)


def _check_vlan(segment: Segment) -> None:
    if not segment.physical_network:
        raise refusals.invalid("physical_network required for VLAN provider network")
    _in_range(segment, 1, _VLAN_MAX)


def _check_flat(segment: Segment) -> None:
    if not segment.physical_network:
        raise refusals.invalid("physical_network required for flat provider network")
    if segment.segmentation_id is not None:
        raise refusals.invalid("segmentation_id prohibited for flat provider network")


def _check_local(segment: Segment) -> None:
    if segment.physical_network or segment.segmentation_id is not None:
        raise refusals.invalid("A local network has neither physical_network nor segmentation_id.")


def _in_range(segment: Segment, first: int, last: int) -> None:
    number = segment.segmentation_id
    if number is not None and not first <= number <= last:
        raise refusals.invalid(f"segmentation_id {number} is out of range ({first} through {last}).")


_CHECKS: dict[str, Callable[[Segment], None]] = {
    "vxlan": _check_vxlan,
    "vlan": _check_vlan,
    "flat": _check_flat,
    "local": _check_local,
}
