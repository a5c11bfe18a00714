"""Fernet keys of tokens: rows sealed by the master key, opened once a process."""

import threading
import time

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from controller.db.sealed import MasterKey
from controller.db.session import Database
from controller.identity.tokens.model import TokenKey
from controller.web.errors import Unauthorized
from runtime.settings import ConfigurationError

#: A removed key is forgotten by every process after this long at most.
_TRUSTED_S = 60.0


def rotate(session: Session, master: MasterKey, keep: int = 3) -> None:
    """Makes a new key the one that encrypts, and keeps the newest ``keep``.

    Tokens of a key that goes end with it: rotate no more often than a token's life.
    """
    session.add(TokenKey(sealed=master.seal(Fernet.generate_key())))
    session.flush()
    ids = session.scalars(select(TokenKey.id).order_by(TokenKey.id.desc())).all()
    if len(ids) > keep:
        session.execute(delete(TokenKey).where(TokenKey.id.in_(ids[keep:])))


class KeyRing:
    """The keys as this process knows them; it looks again when a token was made by none of them."""

    def __init__(self, db: Database, master: MasterKey) -> None:
        self._db = db
        self._master = master
        self._lock = threading.Lock()
        self._keys: tuple[Fernet, ...] = ()
        self._newest = 0
        self._loaded_at = float("-inf")

    def encrypt(self, payload: bytes) -> str:
        """A token with this payload."""
        return self._fresh()[0].encrypt(payload).decode()

    def decrypt(self, token: str) -> bytes:
        """The payload. Raises Unauthorized for what no key of ours made."""
        raw = token.encode(errors="replace")
        payload = _opened(self._fresh(), raw)
        if payload is None and token.startswith("gAAAA") and self._has_newer():
            payload = _opened(self._load(), raw)
        if payload is None:
            raise Unauthorized("The token is not valid: get a new one.")
        return payload

    def _fresh(self) -> tuple[Fernet, ...]:
        if time.monotonic() - self._loaded_at < _TRUSTED_S:
            return self._keys
        return self._load()

    def _has_newer(self) -> bool:
        with self._db.read() as session:
            newest = session.scalar(select(func.max(TokenKey.id)))
        return newest is not None and newest != self._newest

    def _load(self) -> tuple[Fernet, ...]:
        with self._db.read() as session:
            rows = session.execute(select(TokenKey.id, TokenKey.sealed).order_by(TokenKey.id.desc())).all()
        if not rows:
            raise ConfigurationError("there is no token key: run 'controller-manage bootstrap'")
        keys = tuple(Fernet(self._master.open(sealed)) for _, sealed in rows)
        with self._lock:
            self._keys, self._newest, self._loaded_at = keys, rows[0][0], time.monotonic()
        return keys


def _opened(keys: tuple[Fernet, ...], token: bytes) -> bytes | None:
    for key in keys:
        try:
            return key.decrypt(token)
        except InvalidToken:
            continue
    return None
