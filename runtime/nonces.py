"""What was signed is believed once, and not for long: for messages of the bus and for requests of hosts.

Each process remembers what it saw itself: where several serve the same, a word may be played once to each of
them, within the same time.
"""

import threading
import time

#: Seconds that a signed word may be old, or a clock be ahead; nonces are remembered as long.
FRESHNESS_S = 120.0
#: Remembered nonces beyond which the old ones are looked for.
_MANY = 20000


class PlayedError(Exception):
    """It is too old, from the future, or was seen before."""


class Nonces:
    """Those that could be played again. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}

    def use(self, nonce: str, sent_at: float) -> None:
        """Notes a nonce whose signature was verified, with the time that was signed. Raises PlayedError."""
        now = time.time()
        if not abs(now - sent_at) <= FRESHNESS_S:
            raise PlayedError(f"message is {now - sent_at:.0f} s old: check the clocks of the hosts (NTP)")
        with self._lock:
            if nonce in self._seen:
                raise PlayedError("message was played twice")
            self._seen[nonce] = sent_at
            if len(self._seen) > _MANY:
                self._seen = {n: t for n, t in self._seen.items() if now - t < FRESHNESS_S}
