"""Carries out actions, each between two fault points."""

import logging
import pathlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from contract.document import Key
from contract.router import Router
from ovs_agent import plan
from ovs_agent.desired import Desired
from ovs_agent.flows.network import Seat
from ovs_agent.flows.pipeline import View
from ovs_agent.host import conntrack, dnsmasq, links, neighbours, netns, nft, ofctl, ovsdb, routing
from ovs_agent.host.changes import Changes
from ovs_agent.host.processes import Processes
from ovs_agent.metadata_server import MetadataServer
from ovs_agent.namespaces import nat
from ovs_agent.switch import INTEGRATION, Switch
from runtime import faultpoint

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Edges:
    """What the agent acts through. ``directory`` is where a network's DHCP files are."""

    database: ovsdb.Ovsdb
    switch: Switch
    server: MetadataServer
    processes: Processes
    changes: Changes
    directory: Callable[[str], pathlib.Path]


class Applier:
    """Holds the edges that actions need. Thread-safe."""

    def __init__(self, desired: Desired, edges: Edges, poke: Callable[[list[Key]], None]) -> None:
        """``poke`` looks at a document again."""
        self._desired = desired
        self._ovsdb = edges.database
        self._switch = edges.switch
        self._server = edges.server
        self._processes = edges.processes
        self._changes = edges.changes
        self._directory = edges.directory
        self._poke = poke
        #: Unplugged, but Open vSwitch may not have heard of it: the next time waits for that again.
        self._unsettled: set[str] = set()
        self._acts: dict[type, Callable[[Any], None]] = {
            plan.QuietTap: self._quiet_tap,
            plan.ForgetConnections: self._forget_connections,
            plan.EmptyZone: self._empty_zone,
            plan.InstallFlows: self._install_flows,
            plan.RemoveFlows: self._remove_flows,
            plan.MarkWired: self._mark_wired,
            plan.MakeNamespace: self._make_namespace,
            plan.PlugService: self._plug_service,
            plan.WriteFiles: self._write_files,
            plan.StartDnsmasq: self._start_dnsmasq,
            plan.ReloadDnsmasq: self._reload_dnsmasq,
            plan.StopDnsmasq: self._stop_dnsmasq,
            plan.OpenMetadata: self._open_metadata,
            plan.CloseMetadata: self._close_metadata,
            plan.RemoveService: self._remove_service,
            plan.MakeRouter: self._make_router,
            plan.MakeLink: self._make_link,
            plan.PlugLink: self._plug_link,
            plan.RemoveLink: self._remove_link,
            plan.ApplyNat: self._apply_nat,
            plan.FurnishRouter: self._furnish_router,
            plan.Announce: self._announce,
            plan.RemoveRouter: self._remove_router,
        }

    def apply(self, actions: Iterable[plan.Action]) -> None:
        """Each action in turn; an error ends it, and the next time goes on from what is seen then."""
        for action in actions:
            LOG.debug("%s", action)
            with faultpoint.around("ovs", action):
                self._acts[type(action)](action)

    def watch_dnsmasq(self, owner: Key) -> None:
        """Looks at the network or router again when its dnsmasq ends."""
        number = dnsmasq.pid(self._directory(owner.id))
        ended: Callable[[], None] = lambda: self._poke([owner])  # noqa: E731
        if number is not None and not self._processes.watch(number, ended):
            ended()

    def _quiet_tap(self, action: plan.QuietTap) -> None:
        links.quiet(action.name)

    def _forget_connections(self, action: plan.ForgetConnections) -> None:
        if action.is_used:
            ofctl.flush_zone(INTEGRATION, action.zone)
        self._desired.use_zone(action.zone)

    def _empty_zone(self, action: plan.EmptyZone) -> None:
        ofctl.flush_zone(INTEGRATION, action.zone)

    def _install_flows(self, action: plan.InstallFlows) -> None:
        wanted = self._desired.port(action.port_id)
        if wanted is None:
            return
        seat = Seat(wanted[0], action.ofport, action.trunk)

        def update(view: View) -> None:
            view.seats[action.port_id] = seat

        self._switch.change(_owners(seat), update)

    def _remove_flows(self, action: plan.RemoveFlows) -> None:
        remove_seat(self._switch, action.port_id)

    def _mark_wired(self, action: plan.MarkWired) -> None:
        row = self._ovsdb.tap(action.port_id)
        if row is None:
            return
        waited_ms = (time.monotonic() - row.since) * 1000
        LOG.info("port %s has its flows at %s, %.0f ms after its tap", action.port_id, row.ofport, waited_ms)
        self._ovsdb.mark_wired(row, action.mark)

    def _make_namespace(self, action: plan.MakeNamespace) -> None:
        inside = action.interior
        if not (netns.exists(inside.namespace) and links.exists(inside.outer)):
            self._remove_outer(inside.outer)
        netns.create(inside.namespace)
        links.make_pair(inside.outer, inside.inner, inside.namespace)
        links.furnish(inside.namespace, inside.inner, inside.mac_address, inside.mtu, inside.addresses)

    def _plug_service(self, action: plan.PlugService) -> None:
        links.raise_link(action.outer, action.mtu)
        self._ovsdb.plug(INTEGRATION, action.outer, {ovsdb.NETWORK: action.network_id})

    def _write_files(self, action: plan.WriteFiles) -> None:
        directory = self._directory(action.owner.id)
        directory.mkdir(parents=True, exist_ok=True)
        for name in ("hosts", "options", "names", "config"):
            _write(directory / name, getattr(action.files, name))

    def _start_dnsmasq(self, action: plan.StartDnsmasq) -> None:
        directory = self._directory(action.owner.id)
        dnsmasq.stop(directory)
        dnsmasq.start(action.namespace, directory)
        self.watch_dnsmasq(action.owner)

    def _reload_dnsmasq(self, action: plan.ReloadDnsmasq) -> None:
        dnsmasq.reload(self._directory(action.owner.id))

    def _stop_dnsmasq(self, action: plan.StopDnsmasq) -> None:
        directory = self._directory(action.owner.id)
        dnsmasq.stop(directory)
        dnsmasq.remove_files(directory)

    def _open_metadata(self, action: plan.OpenMetadata) -> None:
        self._server.open(action.network_id, action.interior)

    def _close_metadata(self, action: plan.CloseMetadata) -> None:
        self._server.close(action.network_id)

    def _remove_service(self, action: plan.RemoveService) -> None:
        row = self._ovsdb.service(action.network_id)
        for name in {action.outer, row.name if row else ""} - {""}:
            self._ovsdb.unplug(name)
            links.remove(name)
        netns.remove(action.namespace)

    def _make_router(self, action: plan.MakeRouter) -> None:
        netns.create(action.namespace)
        self._changes.follow(action.namespace)
        routing.prepare(action.namespace)

    def _make_link(self, action: plan.MakeLink) -> None:
        link = action.link
        self._remove_outer(link.outer)
        links.make_pair(link.outer, link.name, action.namespace)

    def _remove_outer(self, name: str) -> None:
        """What is left of a link, before it is made anew: Open vSwitch would go on with the lost one."""
        if self._ovsdb.interface(name) is not None:
            self._unsettled.add(name)
            self._ovsdb.unplug(name)
        if name in self._unsettled:
            self._ovsdb.settle(INTEGRATION)
            self._unsettled.discard(name)
        links.remove(name)

    def _plug_link(self, action: plan.PlugLink) -> None:
        link = action.link
        links.raise_link(link.outer, action.mtu)
        external_ids = {ovsdb.IFACE_ID: link.port_id, ovsdb.ROUTER: action.router_id}
        self._ovsdb.plug(INTEGRATION, link.outer, external_ids)

    def _remove_link(self, action: plan.RemoveLink) -> None:
        self._ovsdb.unplug(action.outer)
        links.remove(action.outer)

    def _apply_nat(self, action: plan.ApplyNat) -> None:
        generation = nft.apply(action.namespace, nat.text(action.nat))
        count = conntrack.cut(action.namespace, lambda seen: nat.agrees(action.nat, seen), action.moved)
        if count:
            LOG.info("router %s: %d connections cut", action.router_id, count)
        self._desired.set_note(Router.KIND, action.router_id, f"{action.digest} {generation}".encode())

    def _furnish_router(self, action: plan.FurnishRouter) -> None:
        routing.furnish(action.namespace, action.inside)

    def _announce(self, action: plan.Announce) -> None:
        neighbours.announce(action.namespace, action.news)

    def _remove_router(self, action: plan.RemoveRouter) -> None:
        netns.remove(action.namespace)
        self._desired.set_note(Router.KIND, action.router_id, None)


def remove_seat(switch: Switch, port_id: str) -> None:
    """Takes a port's flows out, wherever it was plugged."""
    network = switch.network_of(port_id)

    def update(view: View) -> None:
        view.seats.pop(port_id, None)

    switch.change([Key("port", port_id), *([Key("network", network)] if network else [])], update)


def _owners(seat: Seat) -> list[Key]:
    return [Key("port", seat.port.id), Key("network", seat.port.network_id)]


def _write(path: pathlib.Path, text: str) -> None:
    """Replaces a file at once: dnsmasq must not read half of it."""
    partial = path.with_name(path.name + ".new")
    partial.write_text(text)
    partial.chmod(0o644)
    partial.replace(path)
