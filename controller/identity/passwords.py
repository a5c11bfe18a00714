"""Passwords: bcrypt, and a memory of those that were right.

The memory holds an HMAC under a key of this process over (stored hash, password): a changed password has
another hash, so nothing in it has to be forgotten. Whoever has no usable password costs a bcrypt all the
same, so that time does not tell who exists.
"""

import base64
import collections
import hashlib
import hmac
import secrets
import threading

import bcrypt
from oslo_config import cfg

from controller.identity import options

#: Longest password that is taken; what is hashed is a digest, so bcrypt's 72 bytes do not matter.
MAX_LENGTH = 4096


class Passwords:
    """Makes and checks hashes. Never to be called while a transaction is open: one check takes 0.2 s."""

    def __init__(self, rounds: int, remembered: int) -> None:
        self._rounds = rounds
        self._remembered = remembered
        self._key = secrets.token_bytes(32)
        self._right: collections.OrderedDict[bytes, None] = collections.OrderedDict()
        self._lock = threading.Lock()
        self._nobody = self.hashed(secrets.token_hex(16))

    @classmethod
    def configured(cls, conf: cfg.ConfigOpts) -> "Passwords":
        """As the options say."""
        options.register(conf)
        return cls(conf.identity.password_rounds, conf.identity.password_cache)

    def hashed(self, password: str) -> str:
        """What is stored of a password."""
        return bcrypt.hashpw(_digest(password), bcrypt.gensalt(self._rounds)).decode()

    def is_right(self, password: str, stored: str | None, may_remember: bool) -> bool:
        """Whether ``password`` is the one behind ``stored``; false for None.

        ``may_remember`` is false for those who are refused anyway (disabled, unknown): they always take
        the long way, and so does every wrong password.
        """
        mark = hmac.digest(self._key, f"{stored}\0{password}".encode(errors="surrogatepass"), hashlib.sha256)
        if may_remember and self._remembers(mark):
            return True
        is_right = bcrypt.checkpw(_digest(password), (stored or self._nobody).encode()) and stored is not None
        if is_right and may_remember:
            self._remember(mark)
        return is_right

    def _remembers(self, mark: bytes) -> bool:
        with self._lock:
            if mark not in self._right:
                return False
            self._right.move_to_end(mark)
            return True

    def _remember(self, mark: bytes) -> None:
        with self._lock:
            self._right[mark] = None
            while len(self._right) > self._remembered:
                self._right.popitem(last=False)


def _digest(password: str) -> bytes:
    return base64.b64encode(hashlib.sha256(password.encode(errors="surrogatepass")).digest())
