"""Keeps the switch filled: at start, and whenever ovs-vswitchd came back without its flows.

An end of ovs-vswitchd is noticed by its pidfd, a doubt by a row event of OVSDB; only while it is down is
it looked for again and again.
"""

import contextlib
import logging
import pathlib
import threading
from collections.abc import Callable, Mapping

from contract.document import Key
from contract.port import Port
from ovs_agent import datapath
from ovs_agent.desired import Desired
from ovs_agent.flows.network import Seat
from ovs_agent.flows.pipeline import View
from ovs_agent.flows.provider import Uplink
from ovs_agent.flows.tunnel import Plumbing
from ovs_agent.host import ofctl, ovsdb
from ovs_agent.host.processes import Processes
from ovs_agent.switch import INTEGRATION, TUNNEL, Switch

LOG = logging.getLogger(__name__)

_PLUMBING = ("patch-tun", "patch-int", "vxlan")
_DOWN_S = 0.2


class Keeper:
    """One thread. ``poke_all`` looks at every document again after the switch was filled."""

    def __init__(
        self,
        desired: Desired,
        database: ovsdb.Ovsdb,
        switch: Switch,
        processes: Processes,
        pid_file: pathlib.Path,
        poke_all: Callable[[], None],
    ) -> None:
        self._desired = desired
        self._ovsdb = database
        self._switch = switch
        self._processes = processes
        self._pid_file = pid_file
        self._poke_all = poke_all
        self._due = threading.Event()
        self._is_stopping = False
        self._make_bridges: Callable[[], None] = lambda: None
        self._mappings: Mapping[str, str] = {}
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start(self, make_bridges: Callable[[], None], mappings: Mapping[str, str]) -> None:
        """Fills the switch now if it is there, and from now on whenever that is needed.

        ``mappings`` is physical network to bridge.
        """
        self._make_bridges, self._mappings = make_bridges, mappings
        if not self._try():
            self._due.set()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; the flows stay."""
        self._is_stopping = True
        self._due.set()
        self._thread.join(timeout=15)

    def doubt(self, before: ovsdb.Interface | None, after: ovsdb.Interface | None) -> None:
        """A row changed: if it is one that joins the bridges, the switch may be another one."""
        row = after or before
        if row is None or _port(before) == _port(after):
            return
        if row.name in _PLUMBING or row.is_uplink or row.name in self._mappings.values():
            self._due.set()

    def _keep(self) -> None:
        while not self._is_stopping:
            self._due.wait()
            self._due.clear()
            while not self._is_stopping and not self._try():
                self._due.wait(_DOWN_S)
                self._due.clear()

    def _try(self) -> bool:
        """One attempt to have the switch whole."""
        try:
            pid = self._pid()
            self._make_bridges()
            self._ovsdb.ensure_uplinks(INTEGRATION, set(self._mappings.values()))
            self._ovsdb.settle(INTEGRATION)
            if not self._switch.is_whole(self._plumbing()):
                self._fill()
            return pid is None or self._processes.watch(pid, self._ended)
        except (ovsdb.OvsdbError, ofctl.SwitchError, OSError) as error:
            LOG.warning("the switch is not filled yet: %s", error)
        except Exception:
            LOG.exception("the switch is not filled")
        return False

    def _fill(self) -> None:
        view = self._view()
        if self._switch.fill(view):
            LOG.warning("Open vSwitch had no flows of ours: filled, epoch %x", view.epoch)
            self._void_marks()
        self._ovsdb.set_epoch(INTEGRATION, view.epoch)
        self._poke_all()

    def _ended(self) -> None:
        LOG.warning("ovs-vswitchd ended: waiting for it to come back")
        self._switch.forget()
        with contextlib.suppress(ovsdb.OvsdbError):
            self._void_marks()
        self._due.set()

    def _void_marks(self) -> None:
        self._ovsdb.unmark([row for row in self._ovsdb.interfaces() if row.mark])

    def _view(self) -> View:
        """All that is desired, where it is plugged now."""
        view = View(plumbing=self._plumbing())
        if view.plumbing is None:
            raise ovsdb.OvsdbError(f"{INTEGRATION} and {TUNNEL} are not joined yet")
        for segment in self._desired.segments():
            view.segments[segment.id] = segment
            view.numbers[segment.id] = self._desired.number(segment)
        for network in self._desired.networks():
            view.networks[network.id] = network
            place = _port(self._ovsdb.service(network.id))
            if place is not None and network.service_port is not None:
                view.services[network.id] = place
        for port in self._desired.all_ports():
            if (place := _port(self._ovsdb.tap(port.parent_port_id or port.id))) is not None:
                view.seats[port.id] = self._seat(port, place)
        view.groups = {group.id: group for group in self._desired.groups()}
        view.address_groups = {group.id: group for group in self._desired.address_groups()}
        return view

    def _seat(self, port: Port, place: int) -> Seat:
        if port.parent_port_id:
            return Seat(port, self._desired.number_of_subport(port.id), place)
        return Seat(port, place)

    def _plumbing(self) -> Plumbing | None:
        patch, peer, vxlan = (_port(self._ovsdb.interface(name)) for name in _PLUMBING)
        if patch is None or peer is None or vxlan is None:
            return None
        uplinks = {name: Uplink(bridge, self._uplink(bridge)) for name, bridge in self._mappings.items()}
        return Plumbing(patch, peer, vxlan, uplinks)

    def _uplink(self, bridge: str) -> int | None:
        """Where br-int is joined to a bridge of the operator's; None unless both ends of the patch are there."""
        here, there = (self._ovsdb.interface(end(bridge)) for end in (ovsdb.uplink, ovsdb.uplink_peer))
        return _port(here) if _port(there) is not None else None

    def _pid(self) -> int | None:
        """ovs-vswitchd's process; None where its pid file cannot be read, as in a container of its own."""
        try:
            return int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None


def bridge_maker(
    database: ovsdb.Ovsdb, option: str, tunnel_ip: str, cache: pathlib.Path, chosen: Callable[[str], None]
) -> Callable[[], None]:
    """What makes both bridges, with a datapath that works on this host; safe to repeat."""

    def make() -> None:
        kind = datapath.choose(option, database.can_make, cache)
        database.ensure_bridges((INTEGRATION, TUNNEL), kind, tunnel_ip)
        chosen(kind)

    return make


def every_key(desired: Desired) -> list[Key]:
    """Every document, in the order of need."""
    return [
        *(Key("segment", segment.id) for segment in desired.segments()),
        *(Key("security_group", group.id) for group in desired.groups()),
        *(Key("address_group", group.id) for group in desired.address_groups()),
        *(Key("network", network.id) for network in desired.networks()),
        *(Key("router", router.id) for router in desired.routers()),
        *(Key("port", port.id) for port in desired.all_ports()),
    ]


def _port(row: ovsdb.Interface | None) -> int | None:
    return row.ofport if row else None
