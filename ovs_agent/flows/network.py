"""Network → how its frames spread on this host: service port, multicast, unknown destinations."""

from collections.abc import Iterable, Mapping

import msgspec

from contract.network import Network
from contract.port import Port
from ovs_agent.flows import addresses, port, tables
from ovs_agent.flows.flow import Compiled, Flow, load, unique
from ovs_agent.namespaces import metadata

_MULTICAST = "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00"


class Seat(msgspec.Struct, frozen=True):
    """A port and where it is plugged: the OpenFlow port of its tap.

    A subport has the one of its parent's tap as ``trunk``, and as ``ofport`` a number of its own.
    """

    port: Port
    ofport: int
    trunk: int | None = None


def compile_network(
    number: int, seats: Iterable[Seat], network: Network | None, service: int | None
) -> Compiled:
    """Flows of the network ``number`` with its local ports; ``service`` is where its service port is."""
    up = sorted((s for s in seats if s.port.is_admin_up), key=lambda seat: seat.ofport)
    place = f"{tables.NETWORK}={number:#x}"
    uplink = f"resubmit(,{tables.UPLINK})"
    guests = [_to(seat.ofport, tables.INGRESS) for seat in up]
    flows: list[Flow] = []
    if service is not None and network is not None:
        flows += _service(number, network, service)
        guests.append(_to(service, tables.SERVICE))
    flows.append(Flow(tables.FORWARD, 80, f"{place},{_MULTICAST}", ",".join([*guests, uplink])))
    for mac, holders in sorted(_shared(up).items()):
        reach = [_to(seat.ofport, tables.INGRESS) for seat in holders]
        flows.append(Flow(tables.FORWARD, 90, f"{place},dl_dst={mac}", ",".join([*reach, uplink])))
    open_ports = [_to(s.ofport, tables.INGRESS) for s in up if port.accepts_unknown(s.port)]
    flows.append(Flow(tables.FORWARD, 10, place, ",".join([*open_ports, uplink])))
    return Compiled(unique(flows))


def _to(ofport: int, table: int) -> str:
    return f"{load(ofport, tables.TO)},resubmit(,{table})"


def _service(number: int, network: Network, ofport: int) -> Iterable[Flow]:
    """The service port is trusted; DHCP requests go to it alone, and nothing of it leaves the host."""
    if network.service_port is None:
        return
    entry = [load(number, tables.NETWORK), load(tables.FROM_SERVICE, tables.ORIGIN)]
    yield Flow(tables.CLASSIFY, 100, f"in_port={ofport}", ",".join([*entry, f"goto_table:{tables.FORWARD}"]))
    place = f"{tables.NETWORK}={number:#x}"
    reach = f"{load(ofport, tables.TO)},goto_table:{tables.SERVICE}"
    mac = addresses.mac(network.service_port.mac_address)
    yield Flow(tables.FORWARD, 110, f"{place},dl_dst={mac}", reach)
    # whichever neighbour it is sent by: what a guest asks by its default route must not be asked outside
    asked = f"ip,{place},{tables.ORIGIN}={tables.GUEST},nw_dst={metadata.IPV4}"
    yield Flow(tables.FORWARD, 125, asked, f"set_field:{mac}->eth_dst,{reach}")
    versions = {subnet.ip_version for subnet in network.subnets if subnet.is_dhcp}
    if 4 in versions:
        request = f"udp,{place},dl_dst=ff:ff:ff:ff:ff:ff,tp_src=68,tp_dst=67"
        yield Flow(tables.FORWARD, 120, request, reach)
    if 6 in versions:
        request = f"udp6,{place},dl_dst=33:33:00:01:00:02,tp_src=546,tp_dst=547"
        yield Flow(tables.FORWARD, 120, request, reach)


def _shared(seats: Iterable[Seat]) -> Mapping[str, list[Seat]]:
    holders: dict[str, list[Seat]] = {}
    for seat in seats:
        try:
            for mac in port.pair_macs(seat.port):
                holders.setdefault(mac, []).append(seat)
        except ValueError:
            continue
    return holders
