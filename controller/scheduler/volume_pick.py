"""Which storage host takes a new volume, and why the others may not. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StorageHost:
    """A storage host. ``free_gib`` is what it said, less what it was promised since."""

    host: str
    backend: str
    free_gib: int
    is_up: bool
    is_disabled: bool = False
    frozen: str = ""
    availability_zone: str = "nova"


@dataclass(frozen=True, kw_only=True)
class VolumeRequest:
    """What a volume needs; ``backend`` and ``availability_zone`` are empty when any will do."""

    size_gib: int
    backend: str = ""
    availability_zone: str = ""


@dataclass(frozen=True)
class VolumeRejection:
    """A host that is out: which filter, and its reason."""

    host: str
    filter: str
    reason: str


@dataclass(frozen=True)
class VolumeRanking:
    """Hosts that may serve, best first, and the rejections of all others."""

    candidates: tuple[StorageHost, ...]
    rejections: tuple[VolumeRejection, ...]

    def explain(self) -> str:
        """For administrators: each host with the reason for which it is out."""
        if not self.rejections:
            return "There is no storage host: start volume-agent on one."
        return "; ".join(f"{r.filter}: {r.host}: {r.reason}" for r in self.rejections) + "."


def _is_enabled(host: StorageHost, _request: VolumeRequest) -> str | None:
    return "its volume service is disabled" if host.is_disabled else None


def _is_alive(host: StorageHost, _request: VolumeRequest) -> str | None:
    if not host.is_up:
        return "its volume agent is not heard"
    return f"its volume agent is frozen: {host.frozen}" if host.frozen else None


def _is_in_zone(host: StorageHost, request: VolumeRequest) -> str | None:
    if request.availability_zone and host.availability_zone != request.availability_zone:
        return f"it is in availability zone {host.availability_zone}"
    return None


def _has_backend(host: StorageHost, request: VolumeRequest) -> str | None:
    if request.backend and host.backend != request.backend:
        return f"its backend is {host.backend}, not {request.backend}"
    return None


def _has_room(host: StorageHost, request: VolumeRequest) -> str | None:
    if host.free_gib < request.size_gib:
        return f"it has {max(host.free_gib, 0)} GiB left of the {request.size_gib} needed"
    return None


FILTERS: tuple[tuple[str, Callable[[StorageHost, VolumeRequest], str | None]], ...] = (
    ("VolumeEnabled", _is_enabled),
    ("VolumeAlive", _is_alive),
    ("AvailabilityZone", _is_in_zone),
    ("Backend", _has_backend),
    ("Capacity", _has_room),
)


def pick(request: VolumeRequest, hosts: Iterable[StorageHost]) -> VolumeRanking:
    """Filters and ranks: most free space first, equal hosts by name, so that the answer is the same each
    time."""
    candidates: list[StorageHost] = []
    rejections: list[VolumeRejection] = []
    for host in hosts:
        rejection = _reject(request, host)
        if rejection is None:
            candidates.append(host)
        else:
            rejections.append(rejection)
    candidates.sort(key=lambda h: (-h.free_gib, h.host))
    return VolumeRanking(tuple(candidates), tuple(rejections))


def _reject(request: VolumeRequest, host: StorageHost) -> VolumeRejection | None:
    for name, check in FILTERS:
        reason = check(host, request)
        if reason is not None:
            return VolumeRejection(host.host, name, reason)
    return None
