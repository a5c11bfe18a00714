"""One handler a kind of document: observe, plan, apply, report what was seen."""

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import cast

from contract.address_group import AddressGroup
from contract.document import Document, Key
from contract.network import Network
from contract.port import Port, PortObserved
from contract.report import Fault
from contract.router import Router, RouterObserved
from contract.security_group import SecurityGroup
from contract.segment import Segment
from ovs_agent import observe, plan
from ovs_agent.apply import Applier, Edges, remove_seat
from ovs_agent.desired import Desired
from ovs_agent.flows import provider
from ovs_agent.flows.pipeline import View
from ovs_agent.flows.port import is_of_router
from ovs_agent.host import dnsmasq, netns, nft, ofctl, ovsdb
from ovs_agent.routers import Routers
from ovs_agent.services import Services
from ovs_agent.switch import NotReady, Switch
from runtime.reconcile.outcome import Failed, Retry

LOG = logging.getLogger(__name__)

Poke = Callable[[list[Key]], None]
#: What a missing part of the host or of the documents is waited for; its coming pokes earlier.
_PATIENCE_S = 5.0


@contextlib.contextmanager
def _host_trouble() -> Iterator[None]:
    """Errors of the host's programs are waited out and told; the switch being filled is only waited for."""
    try:
        yield
    except NotReady as error:
        raise Retry(1.0) from error
    except (
        ofctl.SwitchError,
        ovsdb.OvsdbError,
        netns.NamespaceError,
        dnsmasq.DnsmasqError,
        nft.NftError,
    ) as error:
        message = "The host could not set up its network and tries again."
        raise Retry(2.0, Fault(message=message, details=str(error))) from error


class PortHandler:
    """A port: DHCP first, then flows, then the mark that lets its server start."""

    def __init__(
        self, desired: Desired, edges: Edges, services: Services, applier: Applier, poke: Poke
    ) -> None:
        self._desired = desired
        self._ovsdb = edges.database
        self._switch = edges.switch
        self._services = services
        self._applier = applier
        self._poke = poke

    def apply(self, document: Document) -> PortObserved:
        """Wires the port if its tap is there. Its tap's coming and going is an event that pokes."""
        wanted = self._desired.port(document.id)
        if wanted is None:
            return PortObserved(is_wired=False)
        port, digest = wanted
        with _host_trouble():
            self._prepare(port)
            seen = observe.port(self._ovsdb, self._switch, self._desired, port)
            if seen.epoch == 0:
                raise NotReady("the switch is not filled yet")
            actions = self._plan(port, digest, seen)
            self._applier.apply(actions)
        if actions and is_of_router(port):
            self._poke([Key(Router.KIND, port.device_id)])
        if actions and (subports := self._desired.subports(port.id)):
            self._poke([Key(Port.KIND, subport.id) for subport in subports])
        if seen.tap is None:
            return PortObserved(is_wired=False)
        return PortObserved(is_wired=True, ofport=self._switch.ofport(port.id))

    def remove(self, resource_id: str, document: Document | None) -> None:
        """Takes flows, mark and DHCP entry away; the tap is its maker's."""
        network_id = cast(Port, document).network_id if document else self._switch.network_of(resource_id)
        with _host_trouble():
            remove_seat(self._switch, resource_id)
            row = self._ovsdb.tap(resource_id)
            if row is not None and row.mark:
                self._ovsdb.unmark([row])
            network = self._desired.network(network_id) if network_id else None
            if network is not None:
                self._services.admit(network)

    def _plan(self, port: Port, digest: str, seen: plan.PortSeen) -> tuple[plan.Action, ...]:
        if port.parent_port_id:
            return plan.subport(port, self._desired.number_of_subport(port.id), seen)
        return plan.port(port, digest, seen)

    def _prepare(self, port: Port) -> None:
        network, segment = self._desired.network(port.network_id), self._desired.segment(port.network_id)
        if network is None or segment is None or self._switch.number(port.network_id) is None:
            raise Retry(_PATIENCE_S)
        self._services.admit(network)


class RouterHandler:
    """A router: its namespace, whose links the port handler wires by their documents."""

    def __init__(self, routers: Routers) -> None:
        self._routers = routers

    def apply(self, document: Document) -> RouterObserved:
        """Brings it; the wiring of its ports is an event that pokes. One that is not up is not there."""
        router = cast(Router, document)
        with _host_trouble():
            if not router.is_admin_up:
                self._routers.remove(router.id, router)
                return RouterObserved(is_active=False)
            try:
                faults = self._routers.bring(router)
            except ValueError as error:
                message = "The router's addresses cannot be obeyed."
                raise Failed(Fault(message=message, details=str(error))) from error
        _tell(faults, "Parts of the router cannot be obeyed; the rest is in force.")
        return RouterObserved(is_active=self._routers.is_active(router))

    def remove(self, resource_id: str, document: Document | None) -> None:
        """Takes namespace, links and dnsmasq away."""
        with _host_trouble():
            self._routers.remove(resource_id, cast(Router, document) if document else None)


class NetworkHandler:
    """A network: its services, and where its service port is plugged."""

    def __init__(
        self, desired: Desired, database: ovsdb.Ovsdb, switch: Switch, services: Services, poke: Poke
    ) -> None:
        self._desired = desired
        self._ovsdb = database
        self._switch = switch
        self._services = services
        self._poke = poke

    def apply(self, document: Document) -> None:
        """Makes the services and points the switch at them; ports that waited for it are looked at."""
        network = cast(Network, document)
        with _host_trouble():
            try:
                self._services.bring(network)
            except ValueError as error:
                message = "The network's addresses cannot be served."
                raise Failed(Fault(message=message, details=str(error))) from error
            self._switch.change([Key(Network.KIND, network.id)], self._placed(network))
        self._poke([Key(Port.KIND, p.id) for p in self._desired.ports(network.id) if self._waits(p)])

    def remove(self, resource_id: str, document: Document | None) -> None:
        """Takes services and flows away."""

        def update(view: View) -> None:
            view.networks.pop(resource_id, None)
            view.services.pop(resource_id, None)

        with _host_trouble():
            self._switch.change([Key(Network.KIND, resource_id)], update)
            self._services.remove(resource_id, cast(Network, document) if document else None)

    def _placed(self, network: Network) -> Callable[[View], None]:
        row = self._ovsdb.service(network.id)

        def update(view: View) -> None:
            view.networks[network.id] = network
            view.services.pop(network.id, None)
            if row is not None and row.ofport is not None and network.service_port is not None:
                view.services[network.id] = row.ofport

        return update

    def _waits(self, port: Port) -> bool:
        return self._switch.ofport(port.id) is None


class SegmentHandler:
    """A segment: tunnels, and the number that the network has in the switch."""

    def __init__(self, desired: Desired, switch: Switch, services: Services, poke: Poke) -> None:
        self._desired = desired
        self._switch = switch
        self._services = services
        self._poke = poke

    def apply(self, document: Document) -> None:
        """Brings tunnel flows in, and names of other hosts' ports; a new number moves all ports over at once."""
        segment = cast(Segment, document)
        number = self._desired.number(segment)
        is_renumbered = self._switch.number(segment.id) != number

        def update(view: View) -> None:
            view.segments[segment.id] = segment
            view.numbers[segment.id] = number

        with _host_trouble():
            self._switch.change(self._owners(segment.id, is_renumbered), update)
            if (network := self._desired.network(segment.id)) is not None:
                self._services.rename(network)
        if is_renumbered:
            self._poke([Key(Port.KIND, port.id) for port in self._desired.ports(segment.id)])
        message = "Parts of the segment cannot be obeyed; the rest is in force."
        if segment.network_type in provider.TYPES:
            message = "This host does not join the network to its physical network."
        _tell(self._switch.faults(Key(Segment.KIND, segment.id)), message)

    def remove(self, resource_id: str, document: Document | None) -> None:
        """Takes the network's flows out: without a segment it has no number."""

        def update(view: View) -> None:
            view.segments.pop(resource_id, None)
            view.numbers.pop(resource_id, None)

        with _host_trouble():
            self._switch.change(self._owners(resource_id, True), update)

    def _owners(self, network_id: str, is_renumbered: bool) -> Iterable[Key]:
        yield Key(Segment.KIND, network_id)
        if is_renumbered:
            yield Key(Network.KIND, network_id)
            yield from (Key(Port.KIND, port_id) for port_id in self._switch.ports_of(network_id))


class SecurityGroupHandler:
    """A security group: its own flows, whatever ports there are."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def apply(self, document: Document) -> None:
        """Brings rules and members in; a rule that cannot be obeyed is left out and told."""
        group = cast(SecurityGroup, document)
        key = Key(SecurityGroup.KIND, group.id)

        def update(view: View) -> None:
            view.groups[group.id] = group

        with _host_trouble():
            self._switch.change([key, *self._restated(group)], update)
        _tell(self._switch.faults(key), "Parts of the security group cannot be obeyed; the rest is in force.")

    def remove(self, resource_id: str, document: Document | None) -> None:
        """Takes its flows out: nothing is allowed by it any more."""

        def update(view: View) -> None:
            view.groups.pop(resource_id, None)

        with _host_trouble():
            self._switch.change([Key(SecurityGroup.KIND, resource_id)], update)

    def _restated(self, group: SecurityGroup) -> list[Key]:
        """Ports are concerned only when the group became stateless or stateful."""
        if self._switch.is_stateful(group.id) == group.is_stateful:
            return []
        return [Key(Port.KIND, port_id) for port_id in self._switch.ports_in(group.id)]


class AddressGroupHandler:
    """An address group: its own flows, whatever rules name it."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def apply(self, document: Document) -> None:
        """Brings its addresses in."""
        group = cast(AddressGroup, document)
        key = Key(AddressGroup.KIND, group.id)

        def update(view: View) -> None:
            view.address_groups[group.id] = group

        with _host_trouble():
            self._switch.change([key], update)
        _tell(self._switch.faults(key), "Parts of the address group cannot be obeyed; the rest is in force.")

    def remove(self, resource_id: str, document: Document | None) -> None:
        """Takes its flows out: rules that name it allow nothing any more."""

        def update(view: View) -> None:
            view.address_groups.pop(resource_id, None)

        with _host_trouble():
            self._switch.change([Key(AddressGroup.KIND, resource_id)], update)


class InstanceDataHandler:
    """What guests are told: read from the ledger when they ask, so there is nothing to make."""

    def apply(self, document: Document) -> None:
        """It is in the ledger."""

    def remove(self, resource_id: str, document: Document | None) -> None:
        """It is out of the ledger."""


def _tell(faults: tuple[str, ...], message: str) -> None:
    """Reports what of a document could not be obeyed."""
    if faults:
        raise Failed(Fault(message=message, details="; ".join(faults[:20])))
