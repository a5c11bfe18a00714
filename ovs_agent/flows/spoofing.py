"""Port → flows that let out only what the port itself may send, and what its network's services believe.

Covers source MAC, IPv4, ARP sender, IPv6, neighbour discovery content (the sender's own MAC as option, its
own address as target), and keeps guests from being router or DHCP server (SECURITY row 20).
"""

from collections.abc import Iterable, Iterator

from contract.port import Port
from ovs_agent.flows import addresses, tables
from ovs_agent.flows.addresses import Source
from ovs_agent.flows.flow import Flow

_NO_MAC = "00:00:00:00:00:00"
#: Router solicitation and MLD reports: always allowed, from the guest's own address or none.
_SOLICITING = (131, 132, 133, 143)
_UNSPECIFIED_ALLOWED = (131, 133, 143)

_ND = f"goto_table:{tables.SOURCE_ND}"
_FORWARD = f"goto_table:{tables.FORWARD}"


def everyone() -> Iterator[Flow]:
    """What no guest with port security may send, whatever its addresses."""
    for match in ("udp,tp_src=67,tp_dst=68", "udp6,tp_src=547,tp_dst=546"):
        yield Flow(tables.SOURCE, 200, match, "drop")
    for icmp_type in (134, 137):
        yield Flow(tables.SOURCE, 200, f"icmp6,icmp_type={icmp_type}", "drop")
    for icmp_type in (135, 136):
        yield Flow(tables.SOURCE, 90, f"icmp6,icmp_type={icmp_type}", "drop")
        yield Flow(tables.SERVICE, 70, f"icmp6,icmp_type={icmp_type}", "drop")
    for icmp_type in (134, 137):
        yield Flow(tables.SERVICE, 200, f"icmp6,icmp_type={icmp_type}", "drop")


def allow(port: Port, ofport: int) -> Iterator[Flow]:
    """What this port may send. Raises ValueError for an address that is none."""
    sources = addresses.permitted(port)
    for mac in sorted({source.mac for source in sources}):
        yield from _hardware(ofport, mac)
    for source in sources:
        yield from _ipv4(ofport, source) if source.version == 4 else _ipv6(ofport, source)


def believe(port: Port, ofport: int) -> Iterator[Flow]:
    """What reaches the service port of the network from this port, secured or not.

    Only its fixed addresses count here, never address pairs: metadata is answered by source address, and
    an open port or a pair of another's address must not read another's.
    """
    mac = addresses.mac(port.mac_address)
    place, out = f"{tables.FROM}={ofport:#x},dl_src={mac}", f"goto_table:{tables.OUTPUT}"
    yield Flow(tables.SERVICE, 80, f"udp,{place},nw_src=0.0.0.0,tp_src=68,tp_dst=67", out)
    for source in addresses.own(port):
        if source.version == 4:
            yield Flow(tables.SERVICE, 80, f"arp,{place},arp_sha={mac},arp_spa={source.prefix}", out)
            yield Flow(tables.SERVICE, 50, f"ip,{place},nw_src={source.prefix}", out)
            continue
        yield Flow(tables.SERVICE, 50, f"ipv6,{place},ipv6_src={source.prefix}", out)
        for option in (mac, _NO_MAC):
            sent = f"ipv6_src={source.prefix},nd_sll={option}"
            yield Flow(tables.SERVICE, 80, f"icmp6,{place},icmp_type=135,icmp_code=0,{sent}", out)
            told = f"nd_target={source.prefix},nd_tll={option}"
            yield Flow(tables.SERVICE, 80, f"icmp6,{place},icmp_type=136,icmp_code=0,{told}", out)


def _hardware(ofport: int, mac: str) -> Iterable[Flow]:
    place = f"{tables.FROM}={ofport:#x},dl_src={mac}"
    yield Flow(tables.SOURCE, 100, f"udp,{place},nw_src=0.0.0.0,tp_src=68,tp_dst=67", _FORWARD)
    probe = f"arp,{place},arp_op=1,arp_sha={mac},arp_spa=0.0.0.0"
    yield Flow(tables.SOURCE, 100, probe, f"goto_table:{tables.ARP}")
    for option in (mac, _NO_MAC):
        solicitation = f"icmp6,{place},icmp_type=135,icmp_code=0,nd_sll={option}"
        yield Flow(tables.SOURCE, 100, solicitation, _ND)
    for icmp_type in _SOLICITING:
        yield Flow(tables.SOURCE, 100, f"icmp6,{place},icmp_type={icmp_type}", _ND)
    for icmp_type in _UNSPECIFIED_ALLOWED:
        yield Flow(tables.SOURCE_ND, 100, f"icmp6,{place},icmp_type={icmp_type},ipv6_src=::", _FORWARD)
    detection = f"icmp6,{place},icmp_type=135,icmp_code=0,ipv6_src=::,nd_sll={_NO_MAC}"
    yield Flow(tables.SOURCE_ND, 100, detection, _FORWARD)


def _ipv4(ofport: int, source: Source) -> Iterable[Flow]:
    place = f"{tables.FROM}={ofport:#x},dl_src={source.mac}"
    arp = f"arp,{place},arp_sha={source.mac},arp_spa={source.prefix}"
    yield Flow(tables.SOURCE, 100, arp, f"goto_table:{tables.ARP}")
    renewal = f"udp,{place},nw_src={source.prefix},tp_src=68,tp_dst=67"
    yield Flow(tables.SOURCE, 100, renewal, _FORWARD)
    yield Flow(tables.SOURCE, 80, f"ip,{place},nw_src={source.prefix}", f"goto_table:{tables.EGRESS}")


def _ipv6(ofport: int, source: Source) -> Iterable[Flow]:
    place = f"{tables.FROM}={ofport:#x},dl_src={source.mac}"
    yield Flow(tables.SOURCE, 80, f"ipv6,{place},ipv6_src={source.prefix}", f"goto_table:{tables.EGRESS}")
    yield Flow(tables.SOURCE_ND, 80, f"ipv6,{place},ipv6_src={source.prefix}", _FORWARD)
    dhcp = f"udp6,{place},ipv6_src={source.prefix},tp_src=546,tp_dst=547"
    yield Flow(tables.SOURCE, 100, dhcp, _FORWARD)
    for option in (source.mac, _NO_MAC):
        told = f"icmp_type=136,icmp_code=0,nd_target={source.prefix},nd_tll={option}"
        yield Flow(tables.SOURCE, 100, f"icmp6,{place},{told}", _ND)
