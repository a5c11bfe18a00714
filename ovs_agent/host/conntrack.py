"""The kernel's connections within a namespace: those that are no longer wanted are forgotten (pyroute2)."""

import errno
from collections.abc import Callable, Iterable
from typing import Any

from pyroute2 import NFCTSocket
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.nfnetlink.nfctsocket import IPS_NAT_MASK, NFCTAttrTuple

from ovs_agent.host import netns
from ovs_agent.namespaces.nat import Connection

_IPV4 = 2


def cut(namespace: str, is_wanted: Callable[[Connection], bool], outers: Iterable[str] | None) -> int:
    """Forgets translated IPv4 connections that are not wanted; their next packet is judged anew. Returns how many.

    ``outers`` are the outer addresses whose connections are looked at, found by the kernel; None for all connections.
    """

    def work() -> int:
        with NFCTSocket() as table:
            seen = table.dump() if outers is None else _by_outer(table, outers)
            gone = [entry for entry in seen if _is_unwanted(entry, is_wanted)]
            for entry in gone:
                _forget(table, entry)
        return len(gone)

    return netns.inside(namespace, work)


def _by_outer(table: NFCTSocket, outers: Iterable[str]) -> Iterable[Any]:
    """Connections to an outer address, and those whose answers come to it. A kernel before 5.8 has no filter and
    gives all: what is read is judged in any case."""
    for outer in outers:
        yield from table.dump(tuple_orig=NFCTAttrTuple(daddr=outer))
        yield from table.dump(tuple_reply=NFCTAttrTuple(daddr=outer))


def _is_unwanted(entry: Any, is_wanted: Callable[[Connection], bool]) -> bool:
    status = entry.get_attr("CTA_STATUS") or 0
    return (
        entry["nfgen_family"] == _IPV4 and bool(status & IPS_NAT_MASK) and not is_wanted(_connection(entry))
    )


def _connection(entry: Any) -> Connection:
    source, destination, port = _ends(entry.get_attr("CTA_TUPLE_ORIG"))
    new_destination, new_source, _ = _ends(entry.get_attr("CTA_TUPLE_REPLY"))
    reply = entry.get_attr("CTA_TUPLE_REPLY").get_attr("CTA_TUPLE_PROTO")
    protocol = reply.get_attr("CTA_PROTO_NUM")
    new_port = reply.get_attr("CTA_PROTO_SRC_PORT")
    return Connection(protocol, source, destination, port, new_source, new_destination, new_port)


def _ends(half: Any) -> tuple[str, str, int | None]:
    """Source, destination and destination port of one direction."""
    addresses, protocol = half.get_attr("CTA_TUPLE_IP"), half.get_attr("CTA_TUPLE_PROTO")
    ends = addresses.get_attr("CTA_IP_V4_SRC"), addresses.get_attr("CTA_IP_V4_DST")
    return *ends, protocol.get_attr("CTA_PROTO_DST_PORT")


def _forget(table: NFCTSocket, entry: Any) -> None:
    """The entry may have ended by itself meanwhile."""
    half = entry.get_attr("CTA_TUPLE_ORIG")
    named = NFCTAttrTuple.from_netlink(_IPV4, half)
    protocol = half.get_attr("CTA_TUPLE_PROTO")
    named.sport, named.dport = (protocol.get_attr(f"CTA_PROTO_{end}_PORT") for end in ("SRC", "DST"))
    try:
        table.entry("del", tuple_orig=named)
    except NetlinkError as error:
        if error.code != errno.ENOENT:
            raise
