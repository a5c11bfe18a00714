"""Telling an engine that there is work."""

import logging
import threading

from contract import topics
from contract.calls import Nothing
from runtime import faultpoint
from runtime.bus import Bus, BusError

LOG = logging.getLogger(__name__)


class Poke:
    """Called after each commit that an engine should hear of.

    A thread of its own sends the word, so that no answer waits for the broker, least of all for one that is
    away; several commits may share a word. If no engine hears it, the next tick of one finds the rows.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._wanted = threading.Event()
        threading.Thread(target=self._work, name="poke", daemon=True).start()

    def __call__(self) -> None:
        self._wanted.set()

    def _work(self) -> None:
        while self._wanted.wait():
            self._wanted.clear()
            try:
                faultpoint.point("api.poke.before")
                self._bus.cast((topics.ENGINE, None), "poke", Nothing())
            except BusError as error:
                LOG.warning("engine was not told of a change, its tick will find it: %s", error)
            except Exception:  # whatever it was: without this thread no engine would be told of anything more
                LOG.exception("engine was not told of a change, its tick will find it")
