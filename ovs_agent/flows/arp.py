"""Segment → ARP answered on the spot for ports of other hosts, so that requests for them do not spread."""

from collections.abc import Iterable

from contract.segment import Segment
from ovs_agent.flows import addresses, tables
from ovs_agent.flows.flow import Flow


def otherwise() -> Flow:
    """ARP that nobody here can answer goes its way."""
    return Flow(tables.ARP, 0, "", f"goto_table:{tables.FORWARD}")


def answers(segment: Segment, network: int) -> Iterable[Flow]:
    """One flow for each IPv4 address behind a tunnel; what is no address is passed over."""
    for endpoint in segment.endpoints:
        for port in endpoint.ports:
            for text in port.ip_addresses:
                try:
                    net, mac = addresses.network(text), addresses.mac(port.mac_address)
                except ValueError:
                    continue
                if net.version == 4 and net.prefixlen == net.max_prefixlen:
                    yield _answer(network, str(net.network_address), mac)


def _answer(network: int, address: str, mac: str) -> Flow:
    match = f"arp,{tables.NETWORK}={network:#x},dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1,arp_tpa={address}"
    actions = (
        "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
        f"set_field:{mac}->eth_src",
        "set_field:2->arp_op",
        "move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[]",
        "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]",
        f"set_field:{mac}->arp_sha",
        f"set_field:{address}->arp_spa",
        # out where it came from, as the port that asked: Open vSwitch would not send it back to its in_port
        f"move:{tables.FROM_WHOLE}->{tables.TO_WHOLE}",
        "load:0->NXM_OF_IN_PORT[]",
        f"goto_table:{tables.OUTPUT}",
    )
    return Flow(tables.ARP, 100, match, ",".join(actions))
