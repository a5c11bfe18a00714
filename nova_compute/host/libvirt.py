"""libvirt: one connection that comes back by itself, its events, and the calls that the agent makes.

The event loop is libvirt's own, in one thread for the process. Errors: HypervisorError, and below it
UnreachableError (no libvirtd: try again) and RefusedError (the definition itself is wrong: do not).
"""

import contextlib
import logging
import pathlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal

import libvirt
import msgspec

LOG = logging.getLogger(__name__)

#: Where libvirt logs what QEMU says, a file a domain.
_LOGS = pathlib.Path("/var/log/libvirt/qemu")
_KEEPALIVE_S, _KEEPALIVE_COUNT = 5, 3
_RECONNECT_S, _LAST_RECONNECT_S = 0.5, 5.0
_UNDEFINE = (
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
)
_UNREACHABLE = {
    libvirt.VIR_ERR_SYSTEM_ERROR,
    libvirt.VIR_ERR_INTERNAL_ERROR,
    libvirt.VIR_ERR_NO_CONNECT,
    libvirt.VIR_ERR_INVALID_CONN,
    libvirt.VIR_ERR_RPC,
}
_REFUSED = {
    libvirt.VIR_ERR_XML_ERROR,
    libvirt.VIR_ERR_XML_DETAIL,
    libvirt.VIR_ERR_XML_INVALID_SCHEMA,
    libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
}
#: The domain or device is in the wanted state already.
_ALREADY = {libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_DEVICE_MISSING}

What = Literal["shutdown-by-host", "stopped", "suspended", "device-removed"]
#: Called with (server id, what happened) from the event thread: must be quick.
Listener = Callable[[str, What], None]


class HypervisorError(Exception):
    """libvirt or QEMU could not do what was asked now."""


class UnreachableError(HypervisorError):
    """There is no libvirtd to talk to."""


class RefusedError(HypervisorError):
    """This definition will never work."""


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """A domain as libvirt tells it. ``state`` and ``reason`` are libvirt's numbers."""

    name: str
    uuid: str
    domain_id: int
    state: int
    reason: int
    definition: str
    live: str | None


class Hypervisor:
    """Thread-safe, as libvirt's connections are."""

    def __init__(self, uri: str, listen: Listener, connected: Callable[[], None]) -> None:
        """``connected`` is called after each connection, from a thread of its own."""
        self._uri = uri
        self._listen = listen
        self._connected = connected
        self._lock = threading.Lock()
        self._connection: Any = None
        self._stopping = threading.Event()
        self._lost = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="libvirt-keeper", daemon=True)

    def start(self) -> None:
        """Starts the event loop and connects; without libvirtd it goes on trying."""
        _EventLoop.start()
        with contextlib.suppress(UnreachableError):
            self._open()
        self._keeper.start()

    def stop(self) -> None:
        """Closes the connection; domains run on."""
        self._stopping.set()
        self._lost.set()
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(libvirt.libvirtError):
                connection.close()

    def version(self) -> int:
        """QEMU's version as libvirt numbers it: 7.2.0 is 7002000."""
        with self._typed() as connection:
            return int(connection.getVersion())

    def domain(self, server_id: str) -> Domain | None:
        """The domain with this UUID, None when there is none."""
        with self._typed() as connection:
            found = self._find(connection, server_id)
            return self._described(found) if found is not None else None

    def domains(self) -> list[Domain]:
        """All domains of the host, ours or not."""
        with self._typed() as connection:
            return [d for d in map(self._described_if_there, connection.listAllDomains()) if d is not None]

    def define(self, xml: str) -> None:
        """Makes or replaces the persistent definition."""
        with self._typed() as connection:
            connection.defineXML(xml)

    def start_paused(self, server_id: str) -> None:
        """Starts a defined domain without letting the guest run; fine if it runs."""
        with self._typed(_ALREADY) as connection:
            self._get(connection, server_id).createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)

    def resume(self, server_id: str) -> int:
        """Lets the guest run. Returns the id of the run."""
        with self._typed() as connection:
            domain = self._get(connection, server_id)
            domain.resume()
            return int(domain.ID())

    def press_power_button(self, server_id: str) -> None:
        """Asks the guest to power off, by ACPI; fine if it is off."""
        with self._typed(_ALREADY) as connection:
            self._get(connection, server_id).shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)

    def destroy(self, server_id: str) -> None:
        """Cuts the power; fine if it is off."""
        with self._typed(_ALREADY) as connection:
            domain = self._find(connection, server_id)
            if domain is not None and domain.isActive():
                domain.destroy()

    def undefine(self, server_id: str) -> None:
        """Drops the definition, and the log that libvirt would keep for ever; fine if there is none."""
        with self._typed() as connection:
            domain = self._find(connection, server_id)
            if domain is not None:
                name = domain.name()
                domain.undefineFlags(_UNDEFINE)
                for log in _LOGS.glob(f"{name}.log*"):
                    log.unlink(missing_ok=True)

    def attach(self, server_id: str, xml: str) -> None:
        """Plugs a device into the running guest."""
        with self._typed() as connection:
            self._get(connection, server_id).attachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def request_detach(self, server_id: str, alias: str) -> None:
        """Asks the guest to let a device go; ``device-removed`` tells when it did.

        Fine if it was asked before and has not answered, or if the device is not there.
        """
        with self._typed(_ALREADY | {libvirt.VIR_ERR_OPERATION_FAILED}) as connection:
            domain = self._get(connection, server_id)
            domain.detachDeviceAlias(alias, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    @contextlib.contextmanager
    def secret(self, usage: str, value: str) -> Iterator[None]:
        """Lets libvirt hand a CHAP secret to QEMU inside the block, and forget it afterwards.

        It is ephemeral (never on libvirt's disk) and private (never read back).
        """
        with self._typed() as connection:
            secret = self._find_secret(connection, usage) or connection.secretDefineXML(
                "<secret ephemeral='yes' private='yes'>"
                f"<usage type='iscsi'><target>{usage}</target></usage></secret>"
            )
            secret.setValue(value.encode())
        try:
            yield
        finally:
            self.forget_secret(usage)

    def forget_secret(self, usage: str) -> None:
        """Drops a secret; fine if there is none."""
        with self._typed() as connection:
            secret = self._find_secret(connection, usage)
            if secret is not None:
                secret.undefine()

    def _open(self) -> Any:
        with self._lock:
            if self._connection is not None:
                return self._connection
            if self._stopping.is_set():
                raise UnreachableError("the agent is stopping")
            try:
                connection = libvirt.open(self._uri)
                connection.registerCloseCallback(self._on_close, None)
                connection.setKeepAlive(_KEEPALIVE_S, _KEEPALIVE_COUNT)
                self._register(connection)
            except libvirt.libvirtError as error:
                raise UnreachableError(f"libvirt at {self._uri}: {error}") from error
            self._connection = connection
            return connection

    def _register(self, connection: Any) -> None:
        connection.domainEventRegisterAny(
            None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._on_lifecycle, None
        )
        connection.domainEventRegisterAny(
            None, libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, self._on_device_removed, None
        )

    def _on_close(self, _connection: Any, reason: int, _opaque: object) -> None:
        if not self._stopping.is_set():
            LOG.warning("the connection to libvirt ended (reason %s): connecting again", reason)
        self._drop()

    def _drop(self) -> None:
        with self._lock:
            self._connection = None
        self._lost.set()

    def _keep(self) -> None:
        """Connects, and again whenever the connection is lost. Only while there is no libvirtd does it
        try now and then: nothing tells that one came up."""
        wait = _RECONNECT_S
        while not self._stopping.is_set():
            self._lost.clear()
            try:
                self._open()
            except UnreachableError as error:
                LOG.warning("%s", error)
                self._stopping.wait(wait)
                wait = min(wait * 2, _LAST_RECONNECT_S)
                continue
            wait = _RECONNECT_S
            self._connected()
            self._lost.wait()

    def _on_lifecycle(self, _connection: Any, domain: Any, event: int, detail: int, _opaque: object) -> None:
        what: What
        if event == libvirt.VIR_DOMAIN_EVENT_SHUTDOWN and detail == libvirt.VIR_DOMAIN_EVENT_SHUTDOWN_HOST:
            what = "shutdown-by-host"
        elif event in (libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_CRASHED):
            what = "stopped"
        elif event == libvirt.VIR_DOMAIN_EVENT_SUSPENDED:
            what = "suspended"
        else:
            return
        self._listen(domain.UUIDString(), what)

    def _on_device_removed(self, _connection: Any, domain: Any, _alias: str, _opaque: object) -> None:
        self._listen(domain.UUIDString(), "device-removed")

    @contextlib.contextmanager
    def _typed(self, fine: set[int] | None = None) -> Iterator[Any]:
        """The connection; libvirt's errors become ours, except those that mean it is done already."""
        connection = self._open()
        try:
            yield connection
        except libvirt.libvirtError as error:
            code = error.get_error_code()
            if fine and code in fine:
                return
            if code in _UNREACHABLE and not _is_alive(connection):
                self._drop()
                raise UnreachableError(str(error)) from error
            raise (RefusedError if code in _REFUSED else HypervisorError)(str(error)) from error

    @staticmethod
    def _find(connection: Any, server_id: str) -> Any:
        try:
            return connection.lookupByUUIDString(server_id)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return None
            raise

    def _get(self, connection: Any, server_id: str) -> Any:
        domain = self._find(connection, server_id)
        if domain is None:
            raise HypervisorError(f"there is no domain for server {server_id}")
        return domain

    @staticmethod
    def _find_secret(connection: Any, usage: str) -> Any:
        try:
            return connection.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_ISCSI, usage)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_SECRET:
                return None
            raise

    def _described_if_there(self, domain: Any) -> Domain | None:
        try:
            return self._described(domain)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return None
            raise

    @staticmethod
    def _described(domain: Any) -> Domain:
        is_active = bool(domain.isActive())
        state, reason = domain.state()
        return Domain(
            name=domain.name(),
            uuid=domain.UUIDString(),
            domain_id=domain.ID(),
            state=state,
            reason=reason,
            definition=domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE),
            live=domain.XMLDesc() if is_active else None,
        )


def _is_alive(connection: Any) -> bool:
    try:
        return bool(connection.isAlive())
    except libvirt.libvirtError:
        return False


class _EventLoop:
    """libvirt's default event loop: registered once a process, before the first connection."""

    _lock = threading.Lock()
    _is_running = False

    @classmethod
    def start(cls) -> None:
        with cls._lock:
            if cls._is_running:
                return
            libvirt.virEventRegisterDefaultImpl()
            libvirt.registerErrorHandler(lambda *_: None, None)
            threading.Thread(target=cls._run, name="libvirt-events", daemon=True).start()
            cls._is_running = True

    @staticmethod
    def _run() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()
