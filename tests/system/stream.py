"""A steady TCP stream between two end points: ``receive PORT`` or ``send ADDRESS PORT``, run inside them.

The receiver answers a line on its standard input with what it saw since the last one: bytes, and the longest
silence in seconds.
"""

import json
import socket
import sys
import threading
import time

_CHUNK = b"x" * 1000
_PAUSE_S = 0.01


def send(address: str, port: str) -> None:
    """Sends a chunk a hundred times a second, until it is ended."""
    with socket.create_connection((address, int(port)), timeout=30) as connection:
        while True:
            connection.sendall(_CHUNK)
            time.sleep(_PAUSE_S)


class Receiver:
    """Counts what comes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bytes, self._longest_s, self._last = 0, 0.0, time.monotonic()

    def take(self, count: int) -> None:
        """Some bytes came."""
        with self._lock:
            self._note()
            self._bytes += count

    def told(self) -> dict[str, float]:
        """What was seen since the last time."""
        with self._lock:
            self._note()
            seen = {"bytes": self._bytes, "longest_s": self._longest_s}
            self._bytes, self._longest_s = 0, 0.0
            return seen

    def _note(self) -> None:
        passed = time.monotonic()
        self._longest_s = max(self._longest_s, passed - self._last)
        self._last = passed


def receive(port: str) -> None:
    """Takes one connection, and answers on standard output."""
    receiver = Receiver()
    with socket.create_server(("0.0.0.0", int(port))) as server:
        threading.Thread(target=_read, args=(server, receiver), daemon=True).start()
        print("ready", flush=True)
        for _ in sys.stdin:
            print(json.dumps(receiver.told()), flush=True)


def _read(server: socket.socket, receiver: Receiver) -> None:
    connection, _ = server.accept()
    while data := connection.recv(65536):
        receiver.take(len(data))


if __name__ == "__main__":
    {"send": send, "receive": receive}[sys.argv[1]](*sys.argv[2:])
