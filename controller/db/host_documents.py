"""Which document each host should have, with the digest it has now and the one last reported.

Kept by the engine from the outbox. ``is_tombstone`` rows are orders to remove; a row vanishes only when
the host confirmed. The slices hand in, by kind, which hosts a document belongs on and what it says.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from contract.document import Document, Key, digest, encode
from controller.db.columns import Base, Id, UtcDateTime


class HostDocument(Base):
    """One document of one host. ``reported_digest``, ``state`` and ``fault`` are of its newest report."""

    __tablename__ = "host_documents"
    __table_args__ = (Index("ix_host_documents_kind_id", "kind", "resource_id"), Base.__table_args__)

    host: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    resource_id: Mapped[Id] = mapped_column(primary_key=True)
    agent: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(64))
    revision: Mapped[int] = mapped_column(BigInteger)
    is_tombstone: Mapped[bool] = mapped_column(default=False)
    reported_digest: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(16), default="")
    fault: Mapped[str | None] = mapped_column(Text)
    fault_details: Mapped[str | None] = mapped_column(Text)
    sequence: Mapped[int] = mapped_column(BigInteger, default=0)
    reported_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)


@dataclass(frozen=True)
class DocumentKind:
    """How one kind of document comes from rows.

    ``hosts`` names the hosts on which the resource should be now (none: it goes everywhere it was).
    ``render`` gives its document for one of them; None if it should not be there after all.
    """

    hosts: Callable[[Session, str], set[str]]
    render: Callable[[Session, str, str], Document | None]


Struct = TypeVar("Struct", bound=msgspec.Struct)


def filled(kind: type[Struct], row: Any, **computed: Any) -> Struct:
    """A document, or a part of one, from the attributes of ``row`` that bear its fields' names.

    ``computed`` are the fields that are no plain attribute. Thus a field that is added to the contract and
    to the model needs no word in between. Raises AttributeError for a field that is neither, and
    msgspec.ValidationError for a value that the contract does not allow.
    """
    names = kind.__struct_fields__
    values = {name: computed[name] if name in computed else getattr(row, name) for name in names}
    return msgspec.convert(values, kind)


#: From a changed row (its id) to the documents that are built on it; by kind of row.
Dependents = Callable[[Session, str], set[Key]]


@dataclass(frozen=True)
class Standing:
    """What a host last said about the document as it is now; ``state`` is empty while it said nothing.

    ``state``: "applied", "retrying", "failed" or "".
    """

    state: str
    fault: str = ""
    fault_details: str = ""


def standing(session: Session, documents: DocumentKind, key: Key, host: str) -> Standing:
    """How far ``host`` is with the document as the rows say it at this moment.

    What was said about an older digest does not count, so a change that the outbox has not told yet is
    never mistaken for done.
    """
    document = documents.render(session, host, key.id)
    row = session.get(HostDocument, (host, key.kind, key.id), populate_existing=True)
    if document is None or row is None or row.is_tombstone or row.reported_digest != digest(encode(document)):
        return Standing("")
    return Standing(row.state, row.fault or "", row.fault_details or "")


def is_gone(session: Session, key: Key, host: str) -> bool:
    """Whether ``host`` confirmed the removal of a document, or never had it."""
    return session.get(HostDocument, (host, key.kind, key.id), populate_existing=True) is None
