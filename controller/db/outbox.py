"""The outbox: what changed, written beside the change itself.

Every verb that changes what an agent may have been told puts (kind, id) of the row here, in its own
transaction. The engine finds out which documents of which hosts are built on it, and hints those.
"""

import datetime

from sqlalchemy import BigInteger, Integer, String, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db import session as sessions
from controller.db.columns import Base, Id, UtcDateTime, now
from runtime import log


class OutboxRow(Base):
    """One change that no host was told of yet."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    resource_id: Mapped[Id]
    request_id: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, default=now)


def changed(session: Session, kind: str, *resource_ids: str) -> None:
    """Says that rows of ``kind`` changed; a part of the verb's transaction."""
    if not resource_ids:
        return
    request, at = log.request_id(), now()
    session.execute(
        insert(OutboxRow),
        [{"kind": kind, "resource_id": r, "request_id": request, "created_at": at} for r in resource_ids],
    )
    sessions.hinted(session)
