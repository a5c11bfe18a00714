"""Port → its place in the switch: where its packets come in, which groups judge it, how it is reached."""

from collections.abc import Iterable

import msgspec

from contract.port import Port
from ovs_agent.flows import addresses, limits, remote, spoofing, tables
from ovs_agent.flows import trunk as tags
from ovs_agent.flows.flow import Compiled, Flow, load, unique

#: What one port may ask of the switch; more is left out and named as a fault (SECURITY row 21).
_MOST_GROUPS, _MOST_PAIRS = 400, 1024
#: No 802.1Q tag: tagged frames of guests are those of subports, or not carried.
_UNTAGGED = "vlan_tci=0x0000/0x1fff"
#: How ``device_owner`` begins for interfaces and gateways of routers.
_OF_ROUTER = "network:router_"


def compile_port(
    port: Port, ofport: int, network: int, is_stateless: bool, trunk: int | None = None
) -> Compiled:
    """All flows of a port that is seen as ``ofport``; none, which drops everything, when it is down.

    ``trunk`` is the OpenFlow port of its parent's tap, if it is a subport.
    """
    if not port.is_admin_up:
        return Compiled()
    try:
        flows = [*_ends(port, ofport, trunk), *_flows(port, ofport, network, is_stateless)]
        flows.append(_entry(port, ofport, network, is_stateless, trunk))
    except ValueError as error:
        return Compiled(faults=(f"the port is kept shut: {error}",))
    return Compiled(unique(flows), faults=tuple(_excess(port)), meters=limits.meters(port, ofport))


def accepts_unknown(port: Port) -> bool:
    """Whether frames for MACs that nobody knows go to this port: it may hide other machines behind it.

    A router's port hides none.
    """
    return not port.is_port_security and not is_of_router(port)


def is_of_router(port: Port) -> bool:
    """Whether a router has this port: its ``device_id`` is the router's."""
    return port.device_owner.startswith(_OF_ROUTER)


def pair_macs(port: Port) -> set[str]:
    """MACs of address pairs other than the port's own, such as VRRP's: any of several ports may hold them."""
    if not port.is_port_security:
        return set()
    pairs = port.allowed_address_pairs[:_MOST_PAIRS]
    macs = {addresses.mac(pair.mac_address) for pair in pairs if pair.mac_address}
    return macs - {addresses.mac(port.mac_address)}


def _entry(port: Port, ofport: int, network: int, is_stateless: bool, trunk: int | None) -> Flow:
    first = tables.EGRESS_MARK if limits.is_sender_limited(port) else _checks(port)
    match = f"in_port={ofport},{_UNTAGGED}" if trunk is None else tags.arriving(port, trunk)
    actions = [
        *([] if trunk is None else ["pop_vlan"]),
        load(network, tables.NETWORK),
        load(ofport, tables.FROM),
        load(tables.GUEST, tables.ORIGIN),
        load(int(is_stateless), tables.STATELESS),
        f"goto_table:{first}",
    ]
    return Flow(tables.CLASSIFY, 100, match, ",".join(actions))


def _checks(port: Port) -> int:
    """The table that judges what the port sends."""
    return tables.SOURCE if port.is_port_security else tables.ARP


def _ends(port: Port, ofport: int, trunk: int | None) -> Iterable[Flow]:
    """The first steps of what the port sends, and the last of what it gets."""
    yield from limits.sent(port, ofport, _checks(port))
    out = tags.to_tap() if trunk is None else tags.delivered(port, trunk)
    yield from limits.received(port, ofport, out)
    if trunk is not None:
        yield Flow(tables.OUTPUT, 90, f"{tables.TO}={ofport:#x}", out)


def _flows(port: Port, ofport: int, network: int, is_stateless: bool) -> Iterable[Flow]:
    mac = addresses.mac(port.mac_address)
    reach = f"{load(ofport, tables.TO)},goto_table:{tables.INGRESS}"
    yield Flow(tables.FORWARD, 100, f"{tables.NETWORK}={network:#x},dl_dst={mac}", reach)
    yield from spoofing.believe(port, ofport)
    if not port.is_port_security:
        yield Flow(tables.INGRESS, 100, f"{tables.TO}={ofport:#x}", f"goto_table:{tables.OUTPUT}")
        return
    judge = f"{load(int(is_stateless), tables.STATELESS)},goto_table:{tables.INGRESS_BASIC}"
    yield Flow(tables.INGRESS, 100, f"{tables.TO}={ofport:#x}", judge)
    yield from spoofing.allow(_capped(port), ofport)
    yield from _groups(port, ofport)


def _groups(port: Port, ofport: int) -> Iterable[Flow]:
    for field, groups_table, group_table, verdict in (
        (tables.FROM, tables.EGRESS_GROUPS, tables.EGRESS_GROUP, tables.EGRESS_VERDICT),
        (tables.TO, tables.INGRESS_GROUPS, tables.INGRESS_GROUP, tables.INGRESS_VERDICT),
    ):
        actions = [load(0, tables.ALLOWED)]
        for group_id in sorted(set(port.security_group_ids))[:_MOST_GROUPS]:
            group = load(remote.number(group_id), tables.GROUP)
            actions += [group, f"resubmit(,{group_table})"]
        yield Flow(groups_table, 100, f"{field}={ofport:#x}", ",".join([*actions, f"goto_table:{verdict}"]))


def _capped(port: Port) -> Port:
    if len(port.allowed_address_pairs) <= _MOST_PAIRS:
        return port
    return msgspec.structs.replace(port, allowed_address_pairs=port.allowed_address_pairs[:_MOST_PAIRS])


def _excess(port: Port) -> Iterable[str]:
    if len(set(port.security_group_ids)) > _MOST_GROUPS:
        yield f"only {_MOST_GROUPS} of {len(set(port.security_group_ids))} security groups are obeyed"
    if len(port.allowed_address_pairs) > _MOST_PAIRS:
        yield f"only {_MOST_PAIRS} of {len(port.allowed_address_pairs)} address pairs are obeyed"
