"""The ledger as the agent's parts read it: documents by kind, decoded once, without those to be removed."""

import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from contract.address_group import AddressGroup
from contract.document import Document, Envelope, Key, UnknownVersionError
from contract.instance_data import InstanceData
from contract.kinds import decode
from contract.network import Network
from contract.port import Port
from contract.router import Router
from contract.security_group import SecurityGroup
from contract.segment import Segment
from ovs_agent.flows import pipeline, trunk
from runtime.reconcile.ledger import Ledger

Kind = TypeVar("Kind", bound=Document)


class Desired:
    """Thread-safe."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._decoded: dict[Key, tuple[str, Document]] = {}

    def port(self, port_id: str) -> tuple[Port, str] | None:
        """A port with the digest of its document."""
        envelope = self._envelope(Key(Port.KIND, port_id))
        document = self._decode(envelope, Port) if envelope else None
        return (document, envelope.digest) if document and envelope else None

    def ports(self, network_id: str) -> list[Port]:
        """The ports of a network on this host."""
        return [port for port in self._all(Port) if port.network_id == network_id]

    def all_ports(self) -> list[Port]:
        """All ports of this host."""
        return self._all(Port)

    def subports(self, parent_port_id: str) -> list[Port]:
        """The subports of a port."""
        return [port for port in self._all(Port) if port.parent_port_id == parent_port_id]

    def network(self, network_id: str) -> Network | None:
        """A network."""
        return self._one(Network, network_id)

    def networks(self) -> list[Network]:
        """All networks of this host."""
        return self._all(Network)

    def segments(self) -> list[Segment]:
        """All segments of this host."""
        return self._all(Segment)

    def groups(self) -> list[SecurityGroup]:
        """All security groups of this host."""
        return self._all(SecurityGroup)

    def address_groups(self) -> list[AddressGroup]:
        """All address groups of this host."""
        return self._all(AddressGroup)

    def routers(self) -> list[Router]:
        """All routers of this host."""
        return self._all(Router)

    def segment(self, network_id: str) -> Segment | None:
        """How a network is carried."""
        return self._one(Segment, network_id)

    def instances(self) -> list[InstanceData]:
        """What is told to the guests of this host."""
        return self._all(InstanceData)

    def number(self, segment: Segment) -> int:
        """The network's local number: its VNI, or one given here once and noted."""
        if segment.network_type == "vxlan" and segment.segmentation_id is not None:
            return segment.segmentation_id
        key = Key(Segment.KIND, segment.id)
        with self._lock:
            if (noted := self._ledger.note(key)) is not None:
                return int(noted)
            given = max(int(self._ledger.mark("last_number") or 0) + 1, pipeline.FIRST_LOCAL_NUMBER)
            self._ledger.set_mark("last_number", str(given))
            self._ledger.set_note(key, str(given).encode())
        return given

    def number_of_subport(self, port_id: str) -> int:
        """The number that stands for a subport in the switch, given here once and noted."""
        key = Key(Port.KIND, port_id)
        if (noted := self._ledger.note(key)) is not None:
            return int(noted)
        taken = {self.note(Port.KIND, port.id) for port in self._all(Port) if port.parent_port_id}
        with self._lock:
            if (noted := self._ledger.note(key)) is not None:
                return int(noted)
            number = int(self._ledger.mark("last_subport") or trunk.HIGHEST_NUMBER + 1) - 1
            while number < trunk.LOWEST_NUMBER or str(number).encode() in taken:
                number = number - 1 if number > trunk.LOWEST_NUMBER else trunk.HIGHEST_NUMBER
            self._ledger.set_mark("last_subport", str(number))
            self._ledger.set_note(key, str(number).encode())
        return number

    def highest_zone(self) -> int:
        """The highest conntrack zone that was ever used on this host. Open vSwitch gives port numbers
        upwards, so that a new tap's zone is nearly always a fresh one."""
        return int(self._ledger.mark("highest_zone") or 0)

    def use_zone(self, zone: int) -> None:
        """Notes a zone as used, before it is."""
        with self._lock:
            if zone > self.highest_zone():
                self._ledger.set_mark("highest_zone", str(zone))

    def note(self, kind: str, resource_id: str) -> bytes | None:
        """What was noted about a resource."""
        return self._ledger.note(Key(kind, resource_id))

    def set_note(self, kind: str, resource_id: str, body: bytes | None) -> None:
        """Notes something about a resource."""
        self._ledger.set_note(Key(kind, resource_id), body)

    def _one(self, kind: type[Kind], resource_id: str) -> Kind | None:
        envelope = self._envelope(Key(kind.KIND, resource_id))
        return self._decode(envelope, kind) if envelope else None

    def _all(self, kind: type[Kind]) -> list[Kind]:
        envelopes = self._ledger.documents(kind.KIND)
        decoded = (self._decode(e, kind) for e in envelopes if self._ledger.tombstone(e.key) is None)
        return [document for document in decoded if document is not None]

    def _envelope(self, key: Key) -> Envelope | None:
        return None if self._ledger.tombstone(key) is not None else self._ledger.document(key)

    def _decode(self, envelope: Envelope, kind: type[Kind]) -> Kind | None:
        """The document; one that this agent cannot read is reported by the loop and counts as absent."""
        with self._lock:
            known = self._decoded.get(envelope.key)
            if known is None or known[0] != envelope.digest:
                document = _readable(lambda: decode(envelope))
                if document is None:
                    return None
                known = self._decoded[envelope.key] = (envelope.digest, document)
        return known[1] if isinstance(known[1], kind) else None


def _readable(read: Callable[[], Document]) -> Document | None:
    try:
        return read()
    except (UnknownVersionError, msgspec.MsgspecError):
        return None
