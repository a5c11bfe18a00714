"""How long this agent has been waiting for what guests, ports and disks do; kept in memory only.

Each check raises Retry while there is something to wait for, with a fault once it takes too long.
"""

import threading
import time

from contract.report import Fault
from runtime.reconcile.outcome import Retry

#: A guest is asked again this often to let a device go, and its reluctance is told after this time.
REMOVAL_AGAIN_S, REMOVAL_PATIENCE_S = 10.0, 30.0
IO_ERROR_AGAIN_S = 10.0
#: A guest whose process keeps ending is started again after these waits, doubling.
FIRST_CRASH_WAIT_S, LAST_CRASH_WAIT_S = 1.0, 60.0
#: One that ran this long since its last crash begins anew.
CRASH_MEMORY_S = 300.0


class Waits:
    """Thread-safe; calls for one server never overlap."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[tuple[str, str], float] = {}
        self._crashes: dict[str, tuple[float, float]] = {}

    def settled(self, server_id: str) -> None:
        """There is nothing more to wait for. Crashes stay known: a guest may seem well between two."""
        with self._lock:
            self._since = {k: t for k, t in self._since.items() if k[0] != server_id}

    def check_wiring(self, server_id: str, missing: tuple[str, ...], patience_s: float) -> None:
        """Until the ports are wired."""
        if not missing:
            self._ended(server_id, "wiring")
            return
        waited = self._waited(server_id, "wiring")
        if waited < patience_s:
            raise Retry(patience_s - waited + 0.01)
        ports = ", ".join(missing)
        raise Retry(
            patience_s,
            Fault(
                message="The ports of the server were not wired in time.",
                details=f"not wired after {waited:.0f} s: {ports}; see the log of ovs-agent on this host",
            ),
        )

    def await_removal(self, server_id: str, device_ids: tuple[str, ...]) -> None:
        """Until the guest has let the devices go."""
        waited = max(self._waited(server_id, device_id) for device_id in device_ids)
        fault = None
        if waited >= REMOVAL_PATIENCE_S:
            fault = Fault(
                message="The guest does not release a device. Is it booting, paused, or using it?",
                details=f"asked for {waited:.0f} s: {', '.join(device_ids)}",
            )
        raise Retry(REMOVAL_AGAIN_S, fault)

    def check_io_error(self, server_id: str, is_io_error: bool) -> None:
        """A guest paused by an error of its disk is let go again, but not in a circle."""
        if not is_io_error:
            return
        waited = self._waited(server_id, "io_error")
        if 0 < waited < IO_ERROR_AGAIN_S:
            raise Retry(
                IO_ERROR_AGAIN_S - waited + 0.01,
                Fault(message="A disk of the server fails: the guest is paused and tried again."),
            )
        self._ended(server_id, "io_error")
        self._waited(server_id, "io_error")

    def check_crashes(self, server_id: str, is_crashed: bool) -> None:
        """A guest whose process ended badly is started again, each time a little later."""
        if not is_crashed:
            return
        now = time.monotonic()
        last, wait = self._crashes.get(server_id, (now - CRASH_MEMORY_S, 0.0))
        if now - last < wait:
            raise Retry(
                last + wait - now + 0.01,
                Fault(message="The process of the guest keeps ending unexpectedly; it is started again."),
            )
        is_old = now - last >= CRASH_MEMORY_S
        longer = FIRST_CRASH_WAIT_S if is_old else min(max(wait, 0.5) * 2, LAST_CRASH_WAIT_S)
        self._crashes[server_id] = (now, longer)

    def _waited(self, server_id: str, what: str) -> float:
        """Seconds since this was first waited for; 0 the first time."""
        now = time.monotonic()
        with self._lock:
            return now - self._since.setdefault((server_id, what), now)

    def _ended(self, server_id: str, what: str) -> None:
        with self._lock:
            self._since.pop((server_id, what), None)
