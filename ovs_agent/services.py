"""DHCP and metadata of the networks of this host: namespace, dnsmasq, listening sockets."""

import logging
import threading
from collections import defaultdict

from contract.document import Key
from contract.network import Network
from contract.port import Port
from contract.segment import RemotePort
from ovs_agent import observe, plan
from ovs_agent.apply import Applier, Edges
from ovs_agent.desired import Desired
from ovs_agent.host import dnsmasq
from ovs_agent.namespaces import dhcp, metadata, names
from ovs_agent.namespaces.dhcp import Files
from ovs_agent.namespaces.metadata import Interior

LOG = logging.getLogger(__name__)


#: What the files of a network are made of: it, its ports here, and those elsewhere.
_MadeOf = tuple[Network, tuple[Port, ...], tuple[RemotePort, ...]]


class Services:
    """Thread-safe: a network and its ports are handled side by side, a lock a network keeps order."""

    def __init__(self, desired: Desired, edges: Edges, applier: Applier, resolvers: tuple[str, ...]) -> None:
        """``resolvers`` are asked for names of the outside."""
        self._desired = desired
        self._ovsdb = edges.database
        self._server = edges.server
        self._applier = applier
        self._directory = edges.directory
        self._resolvers = resolvers
        #: The files of each network with what they were made from: every port of a network asks for them.
        self._compiled: dict[str, tuple[_MadeOf, Files]] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def bring(self, network: Network) -> None:
        """Makes all services of a network as its document says.

        Raises ValueError for a document that cannot be obeyed, OSError and the edges' errors.
        """
        with self._locks[network.id]:
            interior = metadata.interior(network)
            if interior is None:
                self._take_down(network.id, network)
                return
            seen = observe.service(
                self._ovsdb, self._server, self._directory(network.id), network.id, interior
            )
            self._applier.apply(plan.service(network.id, interior, self._files(network), seen))
            self._applier.watch_dnsmasq(Key(Network.KIND, network.id))

    def lacking(self, network: Network) -> tuple[plan.Action, ...]:
        """What would be done now to have them as its document says; going over the namespace does nothing then.

        Raises as ``bring`` does.
        """
        interior = metadata.interior(network)
        if interior is None:
            return ()
        seen = observe.service(self._ovsdb, self._server, self._directory(network.id), network.id, interior)
        actions = plan.service(network.id, interior, self._files(network), seen)
        return actions if not seen.is_namespace else actions[1:]

    def admit(self, network: Network) -> None:
        """Has DHCP know the network's present ports, before one of them is told to be ready."""
        with self._locks[network.id]:
            interior = metadata.interior(network)
            if interior is None:
                return
            seen = self._quick_look(network.id, interior)
            owner = Key(Network.KIND, network.id)
            self._applier.apply(plan.dnsmasq(owner, interior.namespace, self._files(network), seen))

    def rename(self, network: Network) -> None:
        """Has DHCP know the names of other hosts' ports, if it runs: it reads them when it starts."""
        if dnsmasq.pid(self._directory(network.id)) is not None:
            self.admit(network)

    def remove(self, network_id: str, network: Network | None) -> None:
        """Takes all services of a network off the host."""
        with self._locks[network_id]:
            self._take_down(network_id, network)
            self._compiled.pop(network_id, None)

    def _take_down(self, network_id: str, network: Network | None) -> None:
        plugged = self._ovsdb.service(network_id)
        service = network.service_port if network else None
        outer = names.outer(service.id) if service else plugged.name if plugged else ""
        self._applier.apply(plan.no_service(network_id, names.namespace(network_id), outer))

    def _files(self, network: Network) -> Files | None:
        if not dhcp.served(network):
            return None
        segment = self._desired.segment(network.id)
        elsewhere = tuple(port for end in segment.endpoints for port in end.ports) if segment else ()
        made_of = network, tuple(self._desired.ports(network.id)), elsewhere
        compiled = self._compiled.get(network.id)
        if compiled is None or compiled[0] != made_of:
            files = self._compile(*made_of)
            compiled = self._compiled[network.id] = made_of, files
        return compiled[1]

    def _compile(self, network: Network, ports: tuple[Port, ...], elsewhere: tuple[RemotePort, ...]) -> Files:
        directory = str(self._directory(network.id))
        return dhcp.compile_files(network, ports, directory, self._resolvers, elsewhere)

    def _quick_look(self, network_id: str, interior: Interior) -> plan.ServiceSeen:
        """Files and process only: the rest was made when the network came."""
        directory = self._directory(network_id)
        return plan.ServiceSeen(
            is_namespace=True,
            is_plugged=True,
            files=observe.files(directory),
            is_dnsmasq=dnsmasq.pid(directory) is not None,
            is_metadata=self._server.serves(network_id, interior),
        )
