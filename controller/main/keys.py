"""Where the controller finds the keys of hosts: in the database, sealed, remembered for a while."""

import threading
import time

from sqlalchemy import select

from controller.db.agents import Host
from controller.db.sealed import MasterKey
from controller.db.session import Database
from runtime.bus import CONTROLLER

#: A key taken away in the database stops working within this time.
REMEMBERED_S = 30.0


class HostKeys:
    """Implements runtime.bus.Keys for the controller's end of every line."""

    def __init__(self, db: Database, master_key: MasterKey) -> None:
        self._db = db
        self._master_key = master_key
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, bytes | None]] = {}

    def key(self, key_id: str) -> bytes | None:
        """The key of a host, or of the controller itself; None for an unknown host."""
        if key_id == CONTROLLER:
            return self._master_key.derived("bus")
        with self._lock:
            known = self._known.get(key_id)
        if known is not None and time.monotonic() - known[0] < REMEMBERED_S:
            return known[1]
        key = self._read(key_id)
        with self._lock:
            self._known[key_id] = (time.monotonic(), key)
        return key

    def _read(self, host: str) -> bytes | None:
        with self._db.read() as session:
            sealed = session.scalar(select(Host.sealed_key).where(Host.name == host))
        return self._master_key.open(sealed) if sealed else None
