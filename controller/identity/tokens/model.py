"""Rows of token keys and of tokens that were revoked."""

import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, UtcDateTime, now


class TokenKey(Base):
    """A Fernet key, sealed by the master key. The highest id encrypts, all decrypt."""

    __tablename__ = "token_keys"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    sealed: Mapped[str] = mapped_column(String(512))
    created_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, default=now)


class RevokedToken(Base):
    """A token that was revoked before its end; the row may go when the token would have ended."""

    __tablename__ = "revoked_tokens"

    audit_id: Mapped[Id] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, index=True)
