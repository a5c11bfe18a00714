"""Port → the limits of its traffic as OpenFlow meters, and the mark of its packets (decision 13).

A meter is its port's OpenFlow port number times four, plus its place below. A changed rate changes the meter alone.
"""

from collections.abc import Iterable, Mapping

from contract.port import Port
from contract.qos import Limit
from ovs_agent.flows import tables
from ovs_agent.flows.flow import Flow, Meter

_PLACES = {("egress", "kbps"): 0, ("egress", "pktps"): 1, ("ingress", "kbps"): 2, ("ingress", "pktps"): 3}
#: Rate and burst are 32 bits in OpenFlow.
_MOST = (1 << 32) - 1
_IP = ("ip", "ipv6")
#: A meter that drops ends the other copies of a flooded packet too, unless the datapath works on a copy of its own.
#: What makes Open vSwitch take one is an action that it cannot undo; the bit that this one sets is read by nobody.
_APART = "clone(check_pkt_larger(1)->NXM_NX_REG14[0],resubmit(,{table}))"


def meters(port: Port, ofport: int) -> tuple[Meter, ...]:
    """The meters of a port."""
    return tuple(sorted(_meter(limit, ofport) for limit in port.limits))


def is_sender_limited(port: Port) -> bool:
    """Whether what the port sends goes through ``EGRESS_MARK`` first."""
    return port.dscp_mark is not None or any(limit.direction == "egress" for limit in port.limits)


def sent(port: Port, ofport: int, after: int) -> Iterable[Flow]:
    """What the port sends: marked, then limited, then on to table ``after``."""
    if not is_sender_limited(port):
        return
    place, own = f"{tables.FROM}={ofport:#x}", _numbers(port, ofport)
    if port.dscp_mark is not None:
        mark = f"set_field:{port.dscp_mark}->ip_dscp,goto_table:{tables.EGRESS_KBPS}"
        yield from (Flow(tables.EGRESS_MARK, 110, f"{kind},{place}", mark) for kind in _IP)
    yield Flow(tables.EGRESS_MARK, 100, place, f"goto_table:{tables.EGRESS_KBPS}")
    bits, packets = (own.get(("egress", unit), "") for unit in ("kbps", "pktps"))
    yield Flow(tables.EGRESS_KBPS, 100, place, f"{bits}goto_table:{tables.EGRESS_PKTPS}")
    yield Flow(tables.EGRESS_PKTPS, 100, place, f"{packets}goto_table:{after}")


def received(port: Port, ofport: int, out: str) -> Iterable[Flow]:
    """What goes out to the port, on its last steps, of which ``out`` is the very last."""
    place, own = f"{tables.TO}={ofport:#x}", _numbers(port, ofport)
    bits, packets = (own.get(("ingress", unit), "") for unit in ("kbps", "pktps"))
    if bits or packets:
        yield Flow(tables.OUTPUT, 100, place, _APART.format(table=tables.OUTPUT_KBPS))
        yield Flow(tables.OUTPUT_KBPS, 100, place, f"{bits}goto_table:{tables.OUTPUT_PKTPS}")
        yield Flow(tables.OUTPUT_PKTPS, 100, place, f"{packets}{out}")


def _numbers(port: Port, ofport: int) -> Mapping[tuple[str, str], str]:
    """The words that put a packet through each meter of the port."""
    return {(one.direction, one.unit): f"meter:{_meter(one, ofport).number}," for one in port.limits}


def _meter(limit: Limit, ofport: int) -> Meter:
    number = ofport * len(_PLACES) + _PLACES[limit.direction, limit.unit]
    return Meter(number, limit.unit, min(limit.rate, _MOST), min(limit.burst, _MOST))
