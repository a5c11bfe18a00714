"""The small HTTP server inside every network's namespace, answering from the ledger.

One thread serves all networks: sockets never block it, a request is taken up when it is complete and
answered from memory. A slow client holds nothing but one of its few connections, and those have a deadline.
"""

import contextlib
import logging
import os
import queue
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from ovs_agent.host import netns
from ovs_agent.metadata_answers import Answer, Request
from ovs_agent.namespaces import metadata
from ovs_agent.namespaces.metadata import Interior

LOG = logging.getLogger(__name__)

PORT = 80
_MOST_HEAD, _MOST_BODY = 8192, 2048
_MOST_CONNECTIONS, _MOST_OF_A_SOURCE = 512, 8
_DEADLINE_S = 10.0


class _Malformed(Exception):
    """A request that is not answered as asked; holds the status to answer with."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class _Client:
    """One connection: what came, and what is still to go out."""

    sock: socket.socket
    network_id: str
    source: str
    ends_at: float
    received: bytearray = field(default_factory=bytearray)
    to_send: memoryview | None = None


class MetadataServer:
    """Thread-safe: networks come and go from any thread."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self._listeners: dict[str, tuple[Interior, list[socket.socket]]] = {}
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._selector = selectors.DefaultSelector()
        self._clients: dict[int, _Client] = {}
        self._sources: Counter[tuple[str, str]] = Counter()
        self._reader, self._writer = os.pipe()
        self._selector.register(self._reader, selectors.EVENT_READ, None)
        self._is_stopping = False
        self._thread = threading.Thread(target=self._serve, name="metadata", daemon=True)
        self._thread.start()

    def serves(self, network_id: str, interior: Interior) -> bool:
        """Whether it listens on the network's link: the subnets that come and go there are nothing to it."""
        with self._lock:
            if network_id not in self._listeners:
                return False
            held, _ = self._listeners[network_id]
        return (held.namespace, held.inner) == (interior.namespace, interior.inner)

    def open(self, network_id: str, interior: Interior) -> None:
        """Listens in a namespace; one that it listened in before under this network is left."""
        self.close(network_id)
        sockets = netns.inside(interior.namespace, lambda: _listen(interior))
        with self._lock:
            self._listeners[network_id] = (interior, sockets)
        for sock in sockets:
            self._do(lambda sock=sock: self._selector.register(sock, selectors.EVENT_READ, network_id))  # type: ignore[misc]

    def close(self, network_id: str) -> None:
        """Listens no more for a network; safe to repeat."""
        with self._lock:
            _, sockets = self._listeners.pop(network_id, (None, []))
        for sock in sockets:
            self._do(lambda sock=sock: self._drop_listener(sock))  # type: ignore[misc]

    def stop(self) -> None:
        """Ends the thread; connections are cut."""
        self._is_stopping = True
        self._do(lambda: None)
        self._thread.join(timeout=5)
        with self._lock:
            for _, sockets in self._listeners.values():
                for sock in sockets:
                    sock.close()

    def _do(self, work: Callable[[], object]) -> None:
        self._work.put(lambda: (work(), None)[1])
        os.write(self._writer, b".")

    def _serve(self) -> None:
        while not self._is_stopping:
            for key, _ in self._selector.select(self._patience()):
                try:
                    self._handle(key)
                except Exception:
                    LOG.exception("metadata server")
            self._expire()

    def _handle(self, key: selectors.SelectorKey) -> None:
        if key.data is None:
            os.read(self._reader, 4096)
            while not self._work.empty():
                self._work.get()()
        elif isinstance(key.data, str):
            self._accept(key.fileobj, key.data)  # type: ignore[arg-type]
        else:
            self._advance(key.data)

    def _patience(self) -> float | None:
        ends = [client.ends_at for client in self._clients.values()]
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def _expire(self) -> None:
        now = time.monotonic()
        for client in [c for c in self._clients.values() if c.ends_at <= now]:
            self._drop(client)

    def _accept(self, listener: socket.socket, network_id: str) -> None:
        try:
            sock, peer = listener.accept()
        except OSError:
            return
        source = str(peer[0]).partition("%")[0]
        is_too_many = self._sources[network_id, source] >= _MOST_OF_A_SOURCE
        if is_too_many or len(self._clients) >= _MOST_CONNECTIONS:
            sock.close()
            return
        sock.setblocking(False)
        client = _Client(sock, network_id, source, time.monotonic() + _DEADLINE_S)
        self._clients[sock.fileno()] = client
        self._sources[network_id, source] += 1
        self._selector.register(sock, selectors.EVENT_READ, client)

    def _advance(self, client: _Client) -> None:
        try:
            if client.to_send is None:
                self._receive(client)
            if client.to_send is not None:
                self._send(client)
        except BlockingIOError:
            return
        except OSError:
            self._drop(client)

    def _receive(self, client: _Client) -> None:
        chunk = client.sock.recv(4096)
        if not chunk:
            self._drop(client)
            return
        client.received += chunk
        try:
            request = _parse(client)
            if request is None:
                return
            answer = self._answered(request)
        except _Malformed as error:
            request, answer = None, Answer(error.status)
        is_head = request is not None and request.method == "HEAD"
        client.to_send = memoryview(_encode(answer, is_head))
        self._selector.modify(client.sock, selectors.EVENT_WRITE, client)

    def _answered(self, request: Request) -> Answer:
        try:
            return self._answer(request)
        except Exception:
            LOG.exception("metadata for %s in network %s", request.source, request.network_id)
            return Answer(500)

    def _send(self, client: _Client) -> None:
        assert client.to_send is not None
        client.to_send = client.to_send[client.sock.send(client.to_send) :]
        if not client.to_send:
            with contextlib.suppress(OSError):
                client.sock.shutdown(socket.SHUT_WR)
            self._drop(client)

    def _drop(self, client: _Client) -> None:
        if self._clients.pop(client.sock.fileno(), None) is None:
            return
        self._selector.unregister(client.sock)
        client.sock.close()
        self._sources[client.network_id, client.source] -= 1
        if not self._sources[client.network_id, client.source]:
            del self._sources[client.network_id, client.source]

    def _drop_listener(self, sock: socket.socket) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(sock)
        sock.close()


def _listen(interior: Interior) -> list[socket.socket]:
    scope = socket.if_nametoindex(interior.inner)
    sockets = [_bound(socket.AF_INET, (metadata.IPV4, PORT))]
    with contextlib.suppress(OSError):
        sockets.append(_bound(socket.AF_INET6, (metadata.IPV6, PORT, 0, scope)))
    return sockets


def _bound(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(64)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _parse(client: _Client) -> Request | None:
    """The request once it is complete; None before. Raises _Malformed."""
    head, end, rest = bytes(client.received).partition(b"\r\n\r\n")
    if not end:
        if len(client.received) > _MOST_HEAD:
            raise _Malformed(431)
        return None
    if len(head) > _MOST_HEAD:
        raise _Malformed(431)
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise _Malformed(400)
    length = _length(lines)
    if len(rest) < length:
        return None
    return Request(client.network_id, client.source, words[0], words[1], rest[:length])


def _length(lines: list[str]) -> int:
    """The body's length; of all headers only this and the transfer encoding are looked at."""
    length = 0
    for line in lines:
        name, _, value = line.partition(":")
        if name.lower() == "transfer-encoding":
            raise _Malformed(411)
        if name.lower() == "content-length":
            text = value.strip()
            if not (text.isascii() and text.isdigit()):
                raise _Malformed(400)
            length = int(text[:10])
    if length > _MOST_BODY:
        raise _Malformed(413)
    return length


def _encode(answer: Answer, is_head: bool) -> bytes:
    head = (
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
        f"Content-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + (b"" if is_head else answer.body)
