"""granian inside of the process that it serves: an event loop in a thread, no workers.

As a program of its own it keeps a parent and a worker, which is one process more to pay for, and has no way to
stand beside the engine and the agents of ``main/allinone.py``.
"""

import asyncio
import contextlib
import logging
import os
import threading

from granian.constants import Interfaces
from granian.server.embed import Server

from controller.web.asgi import AsgiApp
from runtime import watchdog

LOG = logging.getLogger(__name__)

_BACKLOG = 1024
#: How long requests under way may take when the server is told to stop.
_END_S = 10.0
_START_S = 30.0
#: Errors go where ours go; that its embedded form is called experimental is in docs/decisions/0011.
_LOGGING = {"loggers": {"_granian": {"handlers": [], "level": "ERROR", "propagate": True}}}


class WebServer:
    """Serves ``app`` on (address, port)."""

    def __init__(self, app: AsgiApp, place: tuple[str, int]) -> None:
        self._app, self._place = app, place
        self._loop = asyncio.new_event_loop()
        self._server: Server | None = None
        self._failure: Exception | None = None
        self._turns = watchdog.Turns("the web server", self._turn)
        self._begun, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="web-server", daemon=True)

    def start(self) -> None:
        """Listens when it returns. Raises OSError when it cannot."""
        self._thread.start()
        if not self._begun.wait(_START_S) or self._failure is not None:
            raise OSError(str(self._failure or "the web server does not start"))

    def stop(self) -> None:
        """Takes no more requests, and lets those under way end."""
        self._stopping.set()
        if self._server is not None:
            self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(_END_S)

    def _turn(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody will say that it turned
            self._loop.call_soon_threadsafe(self._turns.turned)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:  # told to start(), or below, where the process ends for it
            self._failure = error
        was_serving = self._begun.is_set()
        self._begun.set()
        if was_serving and not self._stopping.is_set():
            LOG.critical("the web server ended by itself: %s", self._failure or "granian says nothing more")
            os._exit(1)  # whoever supervises this process starts it again

    async def _serve(self) -> None:
        address, port = self._place
        self._server = Server(
            self._app,
            address=address,
            port=port,
            interface=Interfaces.ASGINL,
            websockets=False,
            backlog=_BACKLOG,
            log_dictconfig=_LOGGING,
        )
        self._server.on_startup(self._begun.set)
        await self._server.serve()
