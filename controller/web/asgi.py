"""The WSGI application as granian calls it, by ASGI; docs/decisions/0010 says why.

Its WSGI side gives the same "no more bytes" for a body that ended and for one whose connection was cut, so
that half an image would pass for a whole one. Its ASGI side tells them apart.

A request is worked on in a thread of ``calls``; one that brings much, or who knows how much, in one of
``transfers``, which also read what is answered in pieces: slow transfers leave the API free.
"""

import asyncio
import concurrent.futures
import io
import sys
import urllib.parse
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from controller.web.app import WsgiApp

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: A body of at most so many bytes is here before a thread is taken for its request.
SMALL = 1 << 16
#: Bodies that are moved side by side.
TRANSFERS = 64
_FIXED = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


@dataclass
class _Answer:
    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: Iterable[bytes] = ()

    def start(self, status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        """The application's ``start_response``."""
        self.status = int(status[:3])
        self.headers = [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers]


class AsgiApp:
    """A WSGI application as ASGI calls it; ``threads`` requests are worked on side by side."""

    def __init__(self, app: WsgiApp, threads: int) -> None:
        self._app = app
        self._calls = concurrent.futures.ThreadPoolExecutor(threads, "call")
        self._transfers = concurrent.futures.ThreadPoolExecutor(TRANSFERS, "transfer")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        environ = _environ(scope)
        loop = asyncio.get_running_loop()
        body = _Body(receive, loop, has_any=_length(environ) != 0)
        threads = self._transfers
        if _length(environ) <= SMALL:
            await body.fill()
            threads = self._calls
        environ["wsgi.input"] = io.BufferedReader(body)
        answer = await loop.run_in_executor(threads, self._call, environ)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        if isinstance(answer.body, list):
            await send({"type": "http.response.body", "body": b"".join(answer.body)})
        else:
            await self._stream(answer.body, receive, send)

    def _call(self, environ: Message) -> _Answer:
        answer = _Answer()
        answer.body = self._app(environ, answer.start)
        return answer

    async def _stream(self, body: Iterable[bytes], receive: Receive, send: Send) -> None:
        """Sends piece by piece, as fast as the client takes them, while it is there."""
        loop = asyncio.get_running_loop()
        pieces = iter(body)
        left = loop.create_task(_left(receive))
        try:
            while not left.done():
                piece = await loop.run_in_executor(self._transfers, next, pieces, b"")
                await send({"type": "http.response.body", "body": piece, "more_body": bool(piece)})
                if not piece:
                    return
        finally:
            left.cancel()
            if close := getattr(body, "close", None):
                close()


class _Body(io.RawIOBase):
    """The body of a request, as a file that ends where it ends. Reading raises ConnectionResetError when the
    connection is lost before that."""

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop, has_any: bool) -> None:
        self._receive = receive
        self._loop = loop
        self._here = bytearray()
        self._is_all_here = not has_any
        self._is_cut = False

    async def fill(self) -> None:
        """Takes all of it, without a thread."""
        while not (self._is_all_here or self._is_cut):
            self._take(await self._receive())

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, into: Any) -> int:
        """At least one byte, unless it is the end; waits for it in a thread."""
        while not (self._here or self._is_all_here or self._is_cut):
            self._take(asyncio.run_coroutine_threadsafe(self._next(), self._loop).result())
        if self._is_cut and not self._here:
            raise ConnectionResetError("the client closed it before the end of the body")
        size = min(len(into), len(self._here))
        into[:size] = self._here[:size]
        del self._here[:size]
        return size

    async def _next(self) -> Message:
        return await self._receive()

    def _take(self, message: Message) -> None:
        self._is_cut = message["type"] != "http.request"
        self._here += message.get("body", b"")
        self._is_all_here = not self._is_cut and not message.get("more_body", False)


async def _left(receive: Receive) -> None:
    """Returns when the client is no longer there."""
    while (await receive())["type"] == "http.request":
        pass


def _length(environ: Message) -> float:
    """How long the body will be: infinite when it is not said, or not in numbers."""
    announced = environ.get("CONTENT_LENGTH", "")
    if announced.isascii() and announced.isdecimal():
        return float(announced)
    return float("inf") if announced or "HTTP_TRANSFER_ENCODING" in environ else 0.0


def _environ(scope: Message) -> Message:
    """A request as WSGI names it.

    Headers with an underscore are left out: they would be taken for those with a hyphen.
    """
    server, client = scope["server"], scope["client"]
    environ: Message = {
        **_FIXED,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": urllib.parse.unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "wsgi.url_scheme": scope["scheme"],
    }
    for raw_name, raw_text in scope["headers"]:
        if b"_" not in raw_name:
            name, text = _named(raw_name.decode("latin-1")), raw_text.decode("latin-1")
            environ[name] = f"{environ[name]},{text}" if name in environ else text
    return environ


def _named(header: str) -> str:
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
