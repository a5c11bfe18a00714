"""What every desired document is: bytes with a kind, an id, a version and an opaque digest.

A document says all that its kind should be on one host. The engine renders it from rows; the agent
stores the bytes as they came, decodes what it knows (an unknown field is ignored) and reports the digest
that it was given: it never computes one, so that an older agent agrees with a newer engine.
"""

import hashlib
from typing import ClassVar

import msgspec


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all desired documents. ``id`` is the resource's UUID."""

    KIND: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1

    id: str


class Key(msgspec.Struct, frozen=True, order=True):
    """Names one document of a host."""

    kind: str
    id: str


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A document on the wire and in the agent's ledger.

    ``revision`` grows with every change of the host's set, so an agent sees when the database went back.
    """

    kind: str
    id: str
    version: int
    digest: str
    revision: int
    body: bytes

    @property
    def key(self) -> Key:
        """The document's name."""
        return Key(self.kind, self.id)


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    """The explicit order to remove a resource: what is merely absent is never removed."""

    kind: str
    id: str
    revision: int

    @property
    def key(self) -> Key:
        """The name of the document that is to go."""
        return Key(self.kind, self.id)


class UnknownVersionError(Exception):
    """The engine speaks a newer version of a document than this agent knows: upgrade the agent."""


def encode(document: Document) -> bytes:
    """The document's bytes: JSON with sorted keys, equal for equal content."""
    return msgspec.json.encode(document, order="deterministic")


def digest(body: bytes) -> str:
    """What stands for a document's bytes in comparisons: 32 hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()[:32]


def set_digest(digests: dict[Key, str]) -> str:
    """One digest for the whole set of documents of a host, independent of their order."""
    lines = (f"{key.kind} {key.id} {digests[key]}\n" for key in sorted(digests))
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:32]
