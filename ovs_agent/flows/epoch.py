"""What every bridge holds whatever the documents say: the canary, and the flows that judge state.

The canary carries the epoch: the number of this filling of the flow tables. A restarted ovs-vswitchd has
none, so whoever does not find it knows that everything is to be loaded again.
"""

import re
from collections.abc import Iterator

from contract.document import Key
from ovs_agent.flows import arp, spoofing, tables
from ovs_agent.flows.flow import Compiled, Flow, cookie, load, unique

CANARY = Key("canary", "")
EVERYONE = Key("everyone", "")

_EPOCH = re.compile(r"reg0=(0x[0-9a-f]+|\d+)")


def canary(epoch: int) -> Compiled:
    """One flow a bridge that no packet reaches."""
    flow = Flow(tables.EPOCH, 1, f"{tables.NETWORK}={epoch:#x}", "drop")
    return Compiled((flow,), (flow,))


def canary_cookie() -> int:
    """What to look for in a switch."""
    return cookie(CANARY)


def epoch_of(dumped: str) -> int | None:
    """The epoch in what ovs-ofctl dumped for the canary's cookie; None if it is not there."""
    found = _EPOCH.search(dumped)
    return int(found.group(1), 0) if found else None


def everyone() -> Compiled:
    """The flows that all ports share."""
    flows = [*spoofing.everyone(), arp.otherwise(), *_tracking(), *_basics()]
    flows += _untagged()
    flows.append(Flow(tables.OUTPUT, 0, "", f"output:{tables.TO}"))
    accept_egress, accept_ingress = f"goto_table:{tables.FORWARD}", f"goto_table:{tables.OUTPUT}"
    flows += _state(tables.EGRESS_STATE, tables.EGRESS_GROUPS, accept_egress)
    flows += _state(tables.INGRESS_STATE, tables.INGRESS_GROUPS, accept_ingress)
    flows += _verdict(tables.EGRESS_VERDICT, tables.FROM_ZONE, accept_egress)
    flows += _verdict(tables.INGRESS_VERDICT, tables.TO_ZONE, accept_ingress)
    return Compiled(unique(flows))


def _untagged() -> Iterator[Flow]:
    """No port gets a frame with a tag that its sender chose: on a trunk it would be another port's.

    Open vSwitch sees the tag below one that was taken off as a tag, or as an Ethernet type.
    """
    for match in ("vlan_tci=0x1000/0x1000", "dl_type=0x8100", "dl_type=0x88a8"):
        yield Flow(tables.INGRESS, 200, match, "drop")


def _tracking() -> Iterator[Flow]:
    """Each port is a conntrack zone of its own: networks with equal addresses never share a connection."""
    for entry, state, groups, zone in (
        (tables.EGRESS, tables.EGRESS_STATE, tables.EGRESS_GROUPS, tables.FROM_ZONE),
        (tables.INGRESS_BASIC, tables.INGRESS_STATE, tables.INGRESS_GROUPS, tables.TO_ZONE),
    ):
        for family in ("ip", "ipv6"):
            yield Flow(entry, 50, f"{family},{tables.STATELESS}=0", f"ct(table={state},zone={zone})")
            yield Flow(entry, 50, f"{family},{tables.STATELESS}=1", f"goto_table:{groups}")


def _basics() -> Iterator[Flow]:
    """What reaches a secured port without a rule: ARP, neighbour discovery, routers, DHCP answers.

    Their senders were judged where they were sent (table SOURCE).
    """
    out = f"goto_table:{tables.OUTPUT}"
    yield Flow(tables.INGRESS_BASIC, 100, "arp", out)
    for icmp_type in (130, 134, 135, 136):
        yield Flow(tables.INGRESS_BASIC, 100, f"icmp6,icmp_type={icmp_type}", out)
    yield Flow(tables.INGRESS_BASIC, 100, "udp,tp_src=67,tp_dst=68", out)
    yield Flow(tables.INGRESS_BASIC, 100, "udp6,tp_src=547,tp_dst=546", out)


def _state(table: int, groups: int, accept: str) -> Iterator[Flow]:
    """Answers pass unless their connection is marked as no longer allowed; the first direction is judged
    by the rules again with every change of the flows."""
    yield Flow(table, 110, "ct_state=+trk+inv", "drop")
    yield Flow(table, 100, "ct_state=+trk+est+rpl,ct_mark=0x1/0x1", "drop")
    yield Flow(table, 100, "ct_state=+trk+rel-new,ct_mark=0x1/0x1", "drop")
    yield Flow(table, 95, "ct_state=+trk+rel-new", accept)
    yield Flow(table, 90, "ct_state=+trk+est+rpl", accept)
    yield Flow(table, 80, "ct_state=+trk+est-rpl", f"goto_table:{groups}")
    yield Flow(table, 80, "ct_state=+trk+new", f"goto_table:{groups}")


def _verdict(table: int, zone: str, accept: str) -> Iterator[Flow]:
    """Allowed: commit if new, unmark if it was cut before. Not allowed: drop, and cut what was there."""
    allowed, denied = f"{tables.ALLOWED}=1", f"{tables.ALLOWED}=0"
    yield Flow(table, 110, f"{tables.STATELESS}=1,{allowed}", accept)
    yield Flow(table, 110, f"{tables.STATELESS}=1,{denied}", "drop")
    for family in ("ip", "ipv6"):
        yield Flow(table, 100, f"{family},{allowed},ct_state=+trk+new", f"ct(commit,zone={zone}),{accept}")
        yield Flow(
            table,
            100,
            f"{family},{allowed},ct_state=+trk+est,ct_mark=0x1/0x1",
            f"ct(commit,zone={zone},exec({load(0, 'ct_mark')})),{accept}",
        )
        yield Flow(
            table,
            100,
            f"{family},{denied},ct_state=+trk+est,ct_mark=0x0/0x1",
            f"ct(commit,zone={zone},exec({load(1, 'ct_mark')}))",
        )
    yield Flow(table, 90, f"{allowed},ct_state=+trk+est", accept)
