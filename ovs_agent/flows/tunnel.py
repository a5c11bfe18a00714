"""Segment → VXLAN: which remote MAC is behind which end point, and whose frames are let in."""

import ipaddress
from collections.abc import Iterable

import msgspec

from contract.segment import Segment, TunnelEndpoint
from ovs_agent.flows import addresses, arp, tables
from ovs_agent.flows.flow import Compiled, Flow, load, unique
from ovs_agent.flows.provider import Uplink

_MULTICAST = "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00"


class Plumbing(msgspec.Struct, frozen=True):
    """OpenFlow ports of the patch at both its ends, and of the VXLAN port; ``uplinks`` by physical network."""

    patch_of_integration: int
    patch_of_tunnel: int
    vxlan: int
    uplinks: dict[str, Uplink] = {}


def everyone(plumbing: Plumbing) -> Compiled:
    """What joins the bridges. The network's number crosses in pkt_mark: it alone survives a patch port."""
    arrival = [
        "move:NXM_NX_PKT_MARK[]->NXM_NX_REG0[]",
        load(0, "pkt_mark"),
        load(tables.FROM_TUNNEL, tables.ORIGIN),
        f"goto_table:{tables.FORWARD}",
    ]
    from_guests = ["move:NXM_NX_PKT_MARK[]->NXM_NX_REG0[]", load(0, "pkt_mark")]
    return Compiled(
        (Flow(tables.CLASSIFY, 100, f"in_port={plumbing.patch_of_integration}", ",".join(arrival)),),
        (
            Flow(
                tables.CLASSIFY,
                100,
                f"in_port={plumbing.patch_of_tunnel}",
                ",".join([*from_guests, f"goto_table:{tables.TUNNEL_OUT}"]),
            ),
            Flow(tables.CLASSIFY, 100, f"in_port={plumbing.vxlan}", f"goto_table:{tables.TUNNEL_IN}"),
        ),
    )


def compile_segment(segment: Segment, network: int, plumbing: Plumbing) -> Compiled:
    """Flows of one segment on both bridges; a segment without tunnel stays within the host."""
    if segment.network_type != "vxlan" or segment.segmentation_id is None:
        return Compiled()
    faults: list[str] = []
    endpoints = list(_valid(segment.endpoints, faults))
    inner = [*_uplink(network, plumbing), *arp.answers(segment, network)]
    outer = list(_flood(segment.segmentation_id, network, endpoints, plumbing))
    for endpoint in endpoints:
        outer.append(_arrival(segment.segmentation_id, network, endpoint, plumbing))
        for mac in _macs(endpoint, faults):
            place = f"{tables.NETWORK}={network:#x},dl_dst={mac}"
            inner.append(Flow(tables.FORWARD, 95, place, f"goto_table:{tables.UPLINK}"))
            send = f"{load(segment.segmentation_id, 'tun_id')},{_send(endpoint, plumbing)}"
            outer.append(Flow(tables.TUNNEL_OUT, 100, place, send))
    return Compiled(unique(inner), unique(outer), tuple(faults))


def _uplink(network: int, plumbing: Plumbing) -> Iterable[Flow]:
    """Only frames of guests leave: not those of the service port, and never back into a tunnel."""
    match = f"{tables.NETWORK}={network:#x},{tables.ORIGIN}={tables.GUEST:#x}"
    cross = [load(network, "pkt_mark"), f"output:{plumbing.patch_of_integration}", load(0, "pkt_mark")]
    yield Flow(tables.UPLINK, 100, match, ",".join(cross))


def _flood(vni: int, network: int, endpoints: list[TunnelEndpoint], plumbing: Plumbing) -> Iterable[Flow]:
    """Multicast and unknown unicast: a copy to each host of the segment."""
    if endpoints:
        copies = ",".join([load(vni, "tun_id"), *(_send(e, plumbing) for e in endpoints)])
        yield Flow(tables.TUNNEL_OUT, 80, f"{tables.NETWORK}={network:#x},{_MULTICAST}", copies)
        yield Flow(tables.TUNNEL_OUT, 10, f"{tables.NETWORK}={network:#x}", copies)


def _arrival(vni: int, network: int, endpoint: TunnelEndpoint, plumbing: Plumbing) -> Flow:
    source = "tun_ipv6_src" if ":" in endpoint.address else "tun_src"
    cross = f"{load(network, 'pkt_mark')},output:{plumbing.patch_of_tunnel}"
    return Flow(tables.TUNNEL_IN, 100, f"tun_id={vni:#x},{source}={endpoint.address}", cross)


def _send(endpoint: TunnelEndpoint, plumbing: Plumbing) -> str:
    field = "tun_ipv6_dst" if ":" in endpoint.address else "tun_dst"
    return f"set_field:{endpoint.address}->{field},output:{plumbing.vxlan}"


def _valid(endpoints: Iterable[TunnelEndpoint], faults: list[str]) -> Iterable[TunnelEndpoint]:
    for endpoint in endpoints:
        try:
            ipaddress.ip_address(endpoint.address)
        except ValueError as error:
            faults.append(f"tunnel end point: {error}")
            continue
        yield endpoint


def _macs(endpoint: TunnelEndpoint, faults: list[str]) -> Iterable[str]:
    for port in endpoint.ports:
        try:
            yield addresses.mac(port.mac_address)
        except ValueError as error:
            faults.append(f"port behind {endpoint.address}: {error}")
