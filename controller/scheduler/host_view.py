"""What the scheduler sees of a host, and what it is asked for. Plain values: no database behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """One resource class of a host. ``allocated`` is what servers were given already."""

    total: int
    reserved: int
    allocation_ratio: float
    allocated: int

    @property
    def free(self) -> int:
        """What may still be given, overcommitment included."""
        return int((self.total - self.reserved) * self.allocation_ratio) - self.allocated


@dataclass(frozen=True, kw_only=True)
class HostView:
    """A compute host."""

    host: str
    provider_id: str
    is_up: bool
    is_disabled: bool
    frozen: str = ""
    availability_zone: str = "nova"
    capacities: Mapping[str, Capacity] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a server needs. ``resources`` by class: VCPU, MEMORY_MB, DISK_GB.

    ``forced_host`` and ``availability_zone`` are empty when any will do; ``rejected_hosts`` refused
    already.
    """

    resources: Mapping[str, int]
    availability_zone: str = ""
    forced_host: str = ""
    rejected_hosts: frozenset[str] = frozenset()
