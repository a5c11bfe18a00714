"""OVSDB through ovsdbapp: bridges, ports, marks, and a picture of the interfaces kept by row events.

python-ovs's IDL is not thread-safe: ovsdbapp's connection thread owns it. That thread alone reads rows, in
``notify``, and copies what matters into frozen structs; others read the copies and queue transactions.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from ovs.db import idl as ovs_idl
from ovsdbapp import exceptions
from ovsdbapp.backend.ovs_idl import connection, idlutils, transaction
from ovsdbapp.schema.open_vswitch import impl_idl

LOG = logging.getLogger(__name__)

WIRED = "cumulet-wired"
EPOCH = "cumulet-epoch"
NETWORK = "cumulet-network"
ROUTER = "cumulet-router"
UPLINK = "cumulet-uplink"
IFACE_ID = "iface-id"

_COLUMNS = {
    "Open_vSwitch": ["bridges", "next_cfg", "cur_cfg", "external_ids", "ovs_version", "datapath_types"],
    "Bridge": ["name", "ports", "datapath_type", "datapath_id", "fail_mode", "external_ids"],
    "Port": ["name", "interfaces"],
    "Interface": ["name", "type", "ofport", "ifindex", "options", "external_ids", "error"],
}
_TIMEOUT_S = 15
_SETTLE_S = 5


class OvsdbError(Exception):
    """The database did not take a change, or cannot be reached."""


class Interface(msgspec.Struct, frozen=True):
    """One row of the table Interface, as last seen. ``ofport`` is None while there is none; ``since`` is
    the monotonic time at which it got this one. ``ifindex`` is the kernel's number of the link, 0 when that is gone."""

    row: uuid.UUID
    name: str
    ofport: int | None
    external_ids: dict[str, str]
    since: float
    ifindex: int = 0

    @property
    def iface_id(self) -> str:
        """The port that this tap says to be; empty for others."""
        return self.external_ids.get(IFACE_ID, "")

    @property
    def network_id(self) -> str:
        """The network whose service port this is; empty for others."""
        return self.external_ids.get(NETWORK, "")

    @property
    def router_id(self) -> str:
        """The router whose link this is the outer end of; empty for others."""
        return self.external_ids.get(ROUTER, "")

    @property
    def is_uplink(self) -> bool:
        """Whether this is an end of a patch to a bridge of the operator's."""
        return UPLINK in self.external_ids

    @property
    def mark(self) -> str:
        """What was last written about it being wired."""
        return self.external_ids.get(WIRED, "")


class Ovsdb:
    """The connection. Thread-safe. ``changed`` is called with the old and new state of an interface."""

    def __init__(self, remote: str, changed: Callable[[Interface | None, Interface | None], None]) -> None:
        """Connects and reads all rows. Raises OvsdbError when nobody answers in time."""
        self._picture = _Picture(changed)
        picture = self._picture

        class Idl(connection.OvsdbIdl):  # type: ignore[misc]
            def notify(self, event: str, row: Any, updates: Any = None) -> None:
                picture.take(event, row)
                if event == ovs_idl.ROW_CREATE and row._table.name == "Open_vSwitch":
                    picture.prune({key for table in self.tables.values() for key in table.rows})

        try:
            helper = idlutils.get_schema_helper(remote, "Open_vSwitch")
            for table, columns in _COLUMNS.items():
                helper.register_columns(table, columns)
            self._connection = connection.Connection(Idl(remote, helper), _TIMEOUT_S)
            self._api = impl_idl.OvsdbIdl(self._connection)
        except Exception as error:
            raise OvsdbError(f"OVSDB at {remote}: {error}") from error

    def close(self) -> None:
        """Ends the connection's thread."""
        self._connection.stop(timeout=5)

    # --- what is there

    def tap(self, port_id: str) -> Interface | None:
        """The interface that says to be this port; of several the one that was plugged last."""
        return self._picture.newest(IFACE_ID, port_id)

    def service(self, network_id: str) -> Interface | None:
        """The plugged end of a network's service port."""
        return self._picture.newest(NETWORK, network_id)

    def interface(self, name: str) -> Interface | None:
        """An interface by name."""
        return next((i for i in self._picture.interfaces() if i.name == name), None)

    def interfaces(self) -> list[Interface]:
        """All interfaces of all bridges."""
        return self._picture.interfaces()

    def bridges(self) -> dict[str, str]:
        """Bridges by name with their datapath id, which is empty while vswitchd could not make them."""
        return self._picture.bridges()

    # --- changes, each one transaction

    def ensure_bridges(self, names: tuple[str, str], datapath_type: str, tunnel_ip: str) -> None:
        """br-int and br-tun, secure from their first instant, a patch between them and the VXLAN port."""
        integration, tunnel = names
        inside, outside = {"peer": "patch-int"}, {"peer": "patch-tun"}
        vxlan = {"local_ip": tunnel_ip, "remote_ip": "flow", "key": "flow"}
        with self._change() as txn:
            for bridge in names:
                txn.add(self._api.add_br(bridge, may_exist=True, datapath_type=datapath_type))
                txn.add(self._api.db_set("Bridge", bridge, ("fail_mode", "secure")))
            for bridge, port, kind, options in (
                (integration, "patch-tun", "patch", inside),
                (tunnel, "patch-int", "patch", outside),
                (tunnel, "vxlan", "vxlan", vxlan),
            ):
                txn.add(self._api.add_port(bridge, port, may_exist=True, type=kind, options=options))
                txn.add(self._api.db_set("Interface", port, ("options", options)))

    def ensure_uplinks(self, integration: str, wanted: set[str]) -> None:
        """A patch from br-int to each wanted bridge that is there, and to no other; nothing else of theirs is set."""
        present = wanted & self.bridges().keys()
        names = {end(bridge) for bridge in wanted for end in (uplink, uplink_peer)}
        with self._change() as txn:
            for row in self.interfaces():
                if row.is_uplink and row.name not in names:
                    txn.add(self._api.del_port(row.name, if_exists=True))
            for bridge in sorted(present):
                for at, name, peer in (
                    (integration, uplink(bridge), uplink_peer(bridge)),
                    (bridge, uplink_peer(bridge), uplink(bridge)),
                ):
                    options, told = {"peer": peer}, {UPLINK: bridge}
                    made = {"type": "patch", "options": options, "external_ids": told}
                    txn.add(self._api.add_port(at, name, may_exist=True, **made))

    def plug(self, bridge: str, name: str, external_ids: Mapping[str, str]) -> None:
        """Adds a link of the host to a bridge; safe to repeat."""
        with self._change() as txn:
            txn.add(self._api.add_port(bridge, name, may_exist=True, external_ids=dict(external_ids)))

    def unplug(self, name: str) -> None:
        """Takes a link off its bridge; safe to repeat."""
        with self._change() as txn:
            txn.add(self._api.del_port(name, if_exists=True))

    def mark_wired(self, interface: Interface, mark: str) -> None:
        """Writes the mark on just this row: a tap plugged again meanwhile is another row."""
        with self._change() as txn:
            txn.add(
                self._api.db_set("Interface", interface.row, ("external_ids", {WIRED: mark}), if_exists=True)
            )

    def unmark(self, interfaces: list[Interface]) -> None:
        """Takes marks away."""
        with self._change() as txn:
            for interface in interfaces:
                txn.add(
                    self._api.db_remove("Interface", interface.row, "external_ids", WIRED, if_exists=True)
                )

    def set_epoch(self, bridge: str, epoch: int) -> None:
        """Tells others of this host which marks count."""
        with self._change() as txn:
            txn.add(self._api.db_set("Bridge", bridge, ("external_ids", {EPOCH: f"{epoch:x}"})))

    def remove_bridges(self, names: tuple[str, ...]) -> None:
        """Removes bridges with all their ports; safe to repeat."""
        with self._change() as txn:
            for name in names:
                txn.add(self._api.del_br(name, if_exists=True))

    def can_make(self, bridge: str, datapath_type: str) -> bool:
        """Whether ovs-vswitchd really makes a bridge of this type: a scratch one is tried and removed."""
        try:
            with self._api.transaction(check_error=True) as txn:
                txn.add(self._api.add_br(bridge, may_exist=True, datapath_type=datapath_type))
            return bool(self.bridges().get(bridge))
        finally:
            self.remove_bridges((bridge,))

    def settle(self, bridge: str) -> None:
        """Waits until ovs-vswitchd has done all that the database says, so that ofports are its own and
        not those of one that ran before. Raises OvsdbError when it does not answer."""
        txn = impl_idl.OvsVsctlTransaction(self._api, self._connection, _SETTLE_S, True, False)
        with txn:
            txn.add(self._api.db_set("Bridge", bridge, ("fail_mode", "secure")))
        if not self._picture.is_settled():
            raise OvsdbError("ovs-vswitchd does not answer")

    def _change(self) -> "_Change":
        return _Change(self._api, self._connection)


def uplink(bridge: str) -> str:
    """br-int's end of the patch to a bridge, under the name that operators know."""
    return f"int-{bridge}"


def uplink_peer(bridge: str) -> str:
    """The other end."""
    return f"phy-{bridge}"


class _Change(transaction.Transaction):  # type: ignore[misc]
    """A transaction that does not wait for ovs-vswitchd: its row events tell what came of it."""

    def __init__(self, api: Any, conn: Any) -> None:
        super().__init__(api, conn, _TIMEOUT_S, check_error=True, log_errors=False)

    def pre_commit(self, txn: Any) -> None:
        txn.expected_ifaces = set()

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        if kind is not None:
            return
        try:
            self.result = self.commit()
        except (RuntimeError, exceptions.OvsdbAppException, idlutils.RowNotFound) as error:
            raise OvsdbError(f"OVSDB: {error}") from error


class _Picture:
    """Copies of rows, taken on the thread that owns the IDL."""

    def __init__(self, changed: Callable[[Interface | None, Interface | None], None]) -> None:
        self._lock = threading.Lock()
        self._changed = changed
        self._interfaces: dict[uuid.UUID, Interface] = {}
        self._bridges: dict[uuid.UUID, tuple[str, str]] = {}
        self._next_cfg, self._cur_cfg = 0, 0

    def take(self, event: str, row: Any) -> None:
        table = row._table.name
        if table == "Interface":
            self._take_interface(event, row)
        elif table == "Open_vSwitch" and event != ovs_idl.ROW_DELETE:
            self._next_cfg, self._cur_cfg = row.next_cfg, row.cur_cfg
        elif table == "Bridge":
            with self._lock:
                if event == ovs_idl.ROW_DELETE:
                    self._bridges.pop(row.uuid, None)
                else:
                    self._bridges[row.uuid] = (row.name, "".join(row.datapath_id))

    def prune(self, present: set[uuid.UUID]) -> None:
        """A whole new dump came, as after a restart of ovsdb-server: rows that are not in it are gone.

        The IDL drops its old rows then without telling of each.
        """
        with self._lock:
            gone = [row for key, row in self._interfaces.items() if key not in present]
            self._interfaces = {key: row for key, row in self._interfaces.items() if key in present}
            self._bridges = {key: bridge for key, bridge in self._bridges.items() if key in present}
        for row in gone:
            self._changed(row, None)

    def is_settled(self) -> bool:
        return self._cur_cfg >= self._next_cfg

    def interfaces(self) -> list[Interface]:
        with self._lock:
            return list(self._interfaces.values())

    def bridges(self) -> dict[str, str]:
        with self._lock:
            return dict(self._bridges.values())

    def newest(self, key: str, value: str) -> Interface | None:
        found = [i for i in self.interfaces() if i.external_ids.get(key) == value]
        return max(found, key=lambda i: i.ofport or 0, default=None)

    def _take_interface(self, event: str, row: Any) -> None:
        after = None if event == ovs_idl.ROW_DELETE else _interface(row)
        with self._lock:
            before = self._interfaces.pop(row.uuid, None)
            if after is not None:
                if before is not None and before.ofport == after.ofport:
                    after = msgspec.structs.replace(after, since=before.since)
                self._interfaces[row.uuid] = after
        if before != after:
            self._changed(before, after)


def _interface(row: Any) -> Interface:
    ofport = row.ofport[0] if row.ofport else None
    return Interface(
        row=row.uuid,
        name=row.name,
        ofport=ofport if ofport is not None and ofport > 0 else None,
        external_ids=dict(row.external_ids),
        since=time.monotonic(),
        ifindex=row.ifindex[0] if row.ifindex else 0,
    )
