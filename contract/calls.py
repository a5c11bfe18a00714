"""What the engine says to an agent: a hint that a document changed, and calls that need an answer now."""

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


class Adopt(msgspec.Struct, frozen=True, kw_only=True):
    """Tells an agent to follow this database from now on: the doctor's way out of a freeze."""

    database_id: str
    revision: int


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """An answer without content."""
