"""Revoking a token, and forgetting revocations of what has ended by itself."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.identity.tokens.model import RevokedToken
from controller.identity.tokens.payload import Payload


def revoke(session: Session, payload: Payload) -> None:
    """Ends this token now; safe to repeat."""
    audit_id = payload.audit_texts[0]
    if session.get(RevokedToken, audit_id) is None:
        session.add(RevokedToken(audit_id=audit_id, expires_at=payload.expires_at))


def forget_ended(session: Session) -> None:
    """Takes rows of tokens that have ended: done now and then, see main/chores.py."""
    session.execute(delete(RevokedToken).where(RevokedToken.expires_at < now()))
