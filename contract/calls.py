"""What the engine says to an agent: a hint that a document changed, and calls that need an answer now."""

from typing import Literal

import msgspec

from contract.document import Key


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A hint: these documents of yours changed. Holds names, never content."""

    keys: tuple[Key, ...]


class ConsoleOutput(msgspec.Struct, frozen=True, kw_only=True):
    """Asks ``nova_compute`` for the end of a server's console log; ``length`` counts lines, None for all."""

    server_id: str
    length: int | None = None


class ConsoleOutputAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The text, with what JSON cannot carry taken out."""

    output: str


class Inspect(msgspec.Struct, frozen=True, kw_only=True):
    """Asks an agent what is on its host, for the doctor."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something on a host: ``place`` is where it was seen (domain, port, target, file).

    ``is_known``: the agent's ledger holds a document for it. ``lacks`` is what that says and the host has not.
    """

    kind: str
    id: str
    place: str
    is_known: bool
    details: str = ""
    lacks: str = ""


class InspectAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All findings of the host, and why the agent is frozen if it is."""

    findings: tuple[Finding, ...] = ()
    frozen: str = ""


class TracePacket(msgspec.Struct, frozen=True, kw_only=True):
    """Asks ``ovs_agent`` which flows a packet would meet that comes from a port of its host, or, with
    ``tunnel_source`` (the VTEP of another host), by the tunnel of ``network_id``. Ports are those of TCP and UDP.
    """

    port_id: str = ""
    network_id: str = ""
    tunnel_source: str = ""
    source_mac: str
    destination_mac: str
    source: str
    destination: str
    protocol: Literal["tcp", "udp", "icmp"] = "tcp"
    source_port: int = 40000
    destination_port: int = 80


class TracedFlow(msgspec.Struct, frozen=True, kw_only=True):
    """One flow on the way. ``owner`` is the document that it was compiled from, None for those of all packets."""

    bridge: str
    table: str
    match: str
    owner: Key | None = None


class TracedExit(msgspec.Struct, frozen=True, kw_only=True):
    """A link by which the packet leaves the switch: of a port, or a tunnel to the VTEP ``remote``, or neither."""

    link: str
    port_id: str = ""
    remote: str = ""


class TracePacketAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The flows in their order; without an exit the last of them dropped the packet. ``text`` is the switch's own."""

    flows: tuple[TracedFlow, ...]
    exits: tuple[TracedExit, ...]
    text: str


class Adopt(msgspec.Struct, frozen=True, kw_only=True):
    """Tells an agent to follow this database from now on: the doctor's way out of a freeze."""

    database_id: str
    revision: int


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """An answer without content."""
