"""One OpenFlow rule as text with an owner."""

import hashlib
from collections.abc import Iterable

import msgspec

from contract.document import Key


class Flow(msgspec.Struct, frozen=True, order=True):
    """``match`` and ``actions`` are in the syntax of ovs-ofctl; an empty match matches everything."""

    table: int
    priority: int
    match: str
    actions: str

    @property
    def place(self) -> str:
        """What identifies the rule in its bridge, in the syntax of ovs-ofctl."""
        return f"table={self.table},priority={self.priority}" + (f",{self.match}" if self.match else "")

    def text(self, cookie: int) -> str:
        """The whole rule as ovs-ofctl reads it."""
        return f"cookie={cookie:#x},{self.place},actions={self.actions}"


class Meter(msgspec.Struct, frozen=True, order=True):
    """One OpenFlow meter of br-int: packets beyond ``rate`` a second and ``burst`` are dropped."""

    number: int
    unit: str
    rate: int
    burst: int

    @property
    def text(self) -> str:
        """The meter as ovs-ofctl reads it."""
        band = f"type=drop,rate={self.rate},burst_size={self.burst}"
        return f"meter={self.number},{self.unit},burst,band={band}"


class Compiled(msgspec.Struct, frozen=True):
    """All flows of one owner on both bridges, their meters, and what of its document could not be obeyed."""

    integration: tuple[Flow, ...] = ()
    tunnel: tuple[Flow, ...] = ()
    faults: tuple[str, ...] = ()
    meters: tuple[Meter, ...] = ()


def cookie(owner: Key) -> int:
    """What marks all flows of one owner in the switch: 63 bits of a hash, never 0."""
    digest = hashlib.sha256(f"{owner.kind} {owner.id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1 | 1


def unique(flows: Iterable[Flow]) -> tuple[Flow, ...]:
    """Each place once, in stable order: the same match may come from two equal rules or addresses."""
    return tuple(sorted({flow.place: flow for flow in flows}.values()))


def load(value: int, register: str) -> str:
    """The action that sets a register."""
    return f"set_field:{value:#x}->{register}"
