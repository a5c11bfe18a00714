"""The local Open vSwitch database, read only: which taps are wired, and the kind of datapath.

One thread (ovsdbapp's) owns the IDL; what it sees is copied under a lock for the other threads.
``ovs_agent`` marks the Interface row of a tap when its flows are in the switch.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from ovsdbapp.backend.ovs_idl import connection, idlutils

LOG = logging.getLogger(__name__)

WIRED_MARK = "cumulet-wired"
#: libvirt writes these to the row of a tap that it plugs.
_PORT_ID, _SERVER_ID = "iface-id", "vm-id"
_RECONNECT_S, _LAST_RECONNECT_S = 0.5, 5.0
_TIMEOUT_S = 10


class SwitchUnknownError(Exception):
    """The switch's database has not been read yet: no ovsdb-server, or no such bridge."""


class Switch:
    """What this agent needs to know of the switch. Thread-safe."""

    def __init__(self, address: str, bridge: str, wired: Callable[[str], None]) -> None:
        """``wired`` is called with the id of a server whose port was wired; it must be quick."""
        self._address = address
        self._bridge = bridge
        self._wired = wired
        self._lock = threading.Lock()
        self._ports: dict[str, str] = {}
        self._datapath_type: str | None = None
        self._is_read = threading.Event()
        self._stopping = threading.Event()
        self._connection: Any = None
        self._thread = threading.Thread(target=self._connect, name="ovsdb-connect", daemon=True)

    def start(self) -> None:
        """Connects, in a thread that goes on trying until there is a database; it reconnects by itself."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the connection."""
        self._stopping.set()
        if self._connection is not None:
            self._connection.stop(_TIMEOUT_S)

    def missing(self, port_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the ports whose tap is not marked as wired."""
        with self._lock:
            wired = set(self._ports.values())
        return tuple(port_id for port_id in port_ids if port_id not in wired)

    def is_userspace(self, timeout_s: float = 5.0) -> bool:
        """Whether the integration bridge has the userspace datapath. Raises SwitchUnknownError."""
        self._is_read.wait(timeout_s)
        with self._lock:
            if self._datapath_type is None:
                raise SwitchUnknownError(
                    f"bridge {self._bridge} is not in the switch's database at {self._address}"
                )
            return self._datapath_type == "netdev"

    def seen(self, event: str, table: str, row: Any) -> None:
        """Takes a change of a row in; called by the thread that owns the IDL."""
        if table == "Bridge" and row.name == self._bridge:
            with self._lock:
                self._datapath_type = None if event == "delete" else str(row.datapath_type)
            self._is_read.set()
        elif table == "Interface":
            self._seen_interface(event, row)

    def _seen_interface(self, event: str, row: Any) -> None:
        words = row.external_ids
        is_wired = event != "delete" and bool(words.get(WIRED_MARK)) and _PORT_ID in words
        with self._lock:
            was_wired = self._ports.pop(str(row.uuid), None) is not None
            if is_wired:
                self._ports[str(row.uuid)] = words[_PORT_ID]
        if is_wired and not was_wired and _SERVER_ID in words:
            self._wired(words[_SERVER_ID])

    def _connect(self) -> None:
        wait = _RECONNECT_S
        while not self._stopping.is_set():
            try:
                self._connection = connection.Connection(_Idl.to(self._address, self), _TIMEOUT_S)
                self._connection.start()
                return
            except Exception as error:
                # python-ovs raises bare Exception when there is nobody to talk to.
                LOG.warning("the switch's database at %s cannot be read: %s", self._address, error)
                self._stopping.wait(wait)
                wait = min(wait * 2, _LAST_RECONNECT_S)


class _Idl(connection.OvsdbIdl):  # type: ignore[misc]
    """Hands each change of a row to the switch, in the thread that owns the IDL."""

    def __init__(self, address: str, helper: Any, switch: Switch) -> None:
        super().__init__(address, helper)
        self._switch = switch

    @classmethod
    def to(cls, address: str, switch: Switch) -> "_Idl":
        """Follows the few columns that count: others (statistics) change every few seconds."""
        helper = idlutils.get_schema_helper(address, "Open_vSwitch")
        helper.register_columns("Interface", ["name", "external_ids"])
        helper.register_columns("Bridge", ["name", "datapath_type"])
        return cls(address, helper, switch)

    def notify(self, event: str, row: Any, updates: Any = None) -> None:
        """Called by the IDL for each changed row, also for all of them after a reconnect."""
        self._switch.seen(event, row._table.name, row)
