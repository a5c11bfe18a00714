"""A door to the bus of a process for others of the same host: ``controller-manage`` asks agents through it.

A Unix socket that only its owner opens. A connection is one message and its answer, a line of JSON each.
"""

import contextlib
import json
import os
import pathlib
import socket
import socketserver
import threading
from collections.abc import Callable
from typing import Any

#: What the home does with (target's parts, body, seconds to wait or None): text of the answer, and of a failure.
Deliver = Callable[[tuple[str, str, str], str, float | None], tuple[str | None, str | None]]


class Door:
    """The home's side, open until ``close``."""

    def __init__(self, path: pathlib.Path, deliver: Deliver) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # of a home that was killed: agents' locks keep two from living
        before = os.umask(0o177)
        try:
            self._server = _Server(str(path), deliver)
        finally:
            os.umask(before)
        self._thread = threading.Thread(target=self._server.serve_forever, name="bus-door", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Takes no more messages."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, deliver: Deliver) -> None:
        self.deliver = deliver
        super().__init__(path, _Caller)


class _Caller(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        """One message."""
        asked = json.loads(self.rfile.readline())
        with contextlib.suppress(
            TimeoutError, OSError
        ):  # no line is a time-out; a caller that left needs none
            answer = self.server.deliver(tuple(asked["address"]), asked["body"], asked["timeout"])
            self.wfile.write(json.dumps(answer).encode() + b"\n")


def send(
    path: pathlib.Path, address: tuple[str, str, str], body: str, timeout: float | None
) -> tuple[str | None, str | None]:
    """The caller's side; ``timeout`` None is a cast. Raises TimeoutError, and OSError where no home is."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        request: dict[str, Any] = {"address": address, "body": body, "timeout": timeout}
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as answers:
            line = answers.readline()
    if not line:
        raise TimeoutError
    reply, failure = json.loads(line)
    return reply, failure
