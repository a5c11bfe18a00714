"""What agents say to the engine, and what it answers."""

from typing import Literal

import msgspec

from contract.document import Envelope, Key, Tombstone


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is not as it should be: ``message`` for the user, ``details`` for the operator."""

    message: str
    details: str = ""


class OperationResult(msgspec.Struct, frozen=True, kw_only=True):
    """How an imperative ended; repeated until acknowledged."""

    operation_id: str
    fault: Fault | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One resource of one host. ``sequence`` grows per agent; only the newest of a key counts.

    ``state``: applied (the host is as the document with ``digest`` says), retrying (not yet; ``fault``
    says why), failed (it gave up), removed (the tombstone was obeyed and nothing is left).
    ``observed`` is the JSON of the kind's Observed struct.
    """

    sequence: int
    kind: str
    id: str
    digest: str
    state: Literal["applied", "retrying", "failed", "removed"]
    observed: bytes = b"null"
    fault: Fault | None = None
    results: tuple[OperationResult, ...] = ()

    @property
    def key(self) -> Key:
        """The document that this is about."""
        return Key(self.kind, self.id)


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """What a host has of one resource class; ``reserved`` is kept from servers."""

    total: int
    reserved: int = 0
    allocation_ratio: float = 1.0


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a host is and can do, told at every heartbeat; each agent fills what it knows."""

    version: str
    hypervisor_type: str = ""
    hypervisor_version: int = 0
    hypervisor_hostname: str = ""
    virt_type: str = ""
    cpu_model: str = ""
    host_ip: str = ""
    initiator: str = ""
    tunnel_ip: str = ""
    datapath_type: str = ""
    bridge_mappings: dict[str, str] = {}
    backend: str = ""
    storage_protocol: str = ""
    free_gib: int = 0
    total_gib: int = 0
    cpu_info: str = ""
    uptime_s: int = 0


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """Every 5 s, and at once after a start. ``database_id`` and ``revision`` are the newest that the
    ledger has seen; ``frozen`` says why the agent refuses to follow, when it does."""

    agent: str
    set_digest: str
    database_id: str
    revision: int
    capabilities: Capabilities
    inventory: dict[str, Inventory] = {}
    reports: tuple[Report, ...] = ()
    frozen: str = ""


class HeartbeatAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``acknowledged`` are the sequences of reports taken in; ``is_in_step`` false asks for a sync."""

    database_id: str
    revision: int
    is_in_step: bool
    acknowledged: tuple[int, ...] = ()


class Sync(msgspec.Struct, frozen=True, kw_only=True):
    """All that the agent holds: (kind, id, digest)."""

    agent: str
    digests: tuple[tuple[str, str, str], ...] = ()


class SyncAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Documents that differ, tombstones, and keys that the database knows nothing of: these stay
    untouched on the host and are for the doctor."""

    database_id: str
    revision: int
    documents: tuple[Envelope, ...] = ()
    tombstones: tuple[Tombstone, ...] = ()
    unknown: tuple[Key, ...] = ()


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for one document as it is now."""

    agent: str
    kind: str
    id: str


class PullAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly one of document and tombstone, or neither: the database knows nothing of it."""

    database_id: str
    revision: int
    document: Envelope | None = None
    tombstone: Tombstone | None = None


class ReportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The sequences taken in."""

    acknowledged: tuple[int, ...] = ()


class Reports(msgspec.Struct, frozen=True, kw_only=True):
    """Reports sent at once, without waiting for the next heartbeat."""

    agent: str
    reports: tuple[Report, ...] = ()
