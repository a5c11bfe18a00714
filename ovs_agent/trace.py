"""The way of a packet through the flows of this host: the switch traces it, this reads what it says."""

import ipaddress
import re
from collections.abc import Iterator, Mapping

from contract.calls import TracedExit, TracedFlow, TracePacket, TracePacketAnswer
from contract.document import Key
from ovs_agent.desired import Desired
from ovs_agent.flows import tables
from ovs_agent.host import ofctl
from ovs_agent.host.ovsdb import UPLINK, Interface, Ovsdb, uplink
from ovs_agent.switch import INTEGRATION, TUNNEL, Switch

_BRIDGE = re.compile(r'^ *bridge\("(.+)"\)$')
_RESUMED = "Resuming from table"
_FLOW = re.compile(r"^ *(\d+)\. (.*)$")
_COOKIE = re.compile(r"(?:, )?priority \d+(?:, cookie (0x[0-9a-f]+))?$")
_OUTPUT = re.compile(r"^ *(?:output:|-> output port is )(\d+)$")
_TUNNEL_TO = re.compile(r"set_field:(\S+)->tun(?:_ipv6)?_dst")


class CannotTraceError(Exception):
    """There is nothing on this host that the packet could come from."""


class Tracer:
    """What ``trace_packet`` asks of this host."""

    def __init__(self, desired: Desired, database: Ovsdb, switch: Switch) -> None:
        self._desired = desired
        self._database = database
        self._switch = switch

    def trace(self, request: TracePacket, _host: str) -> TracePacketAnswer:
        """Raises CannotTraceError, ofctl.SwitchError."""
        bridge, place = (
            self._from_tunnel(request) if request.tunnel_source else self._from_port(request.port_id)
        )
        text = ofctl.trace(bridge, ",".join([*place, *_packet(request)]))
        flows, exits = read(text, self._switch.owners(), self._links())
        return TracePacketAnswer(flows=tuple(flows), exits=tuple(exits), text=text)

    def _from_port(self, port_id: str) -> tuple[str, list[str]]:
        port, _ = self._desired.port(port_id) or (None, "")
        tap = self._database.tap(port.parent_port_id or port_id if port else port_id)
        if tap is None or tap.ofport is None:
            raise CannotTraceError(
                f"port {port_id} is not plugged into {INTEGRATION}: its server does not run here"
            )
        tag = [f"dl_vlan={port.segmentation_id}"] if port and port.parent_port_id else []
        return INTEGRATION, [f"in_port={tap.ofport}", *tag]

    def _from_tunnel(self, request: TracePacket) -> tuple[str, list[str]]:
        segment, vxlan = self._desired.segment(request.network_id), self._database.interface("vxlan")
        if segment is None or segment.segmentation_id is None or vxlan is None:
            raise CannotTraceError(f"network {request.network_id} has no tunnels on this host")
        source = "tun_ipv6_src" if ":" in request.tunnel_source else "tun_src"
        return TUNNEL, [
            f"in_port={vxlan.ofport}",
            f"tun_id={segment.segmentation_id:#x}",
            f"{source}={request.tunnel_source}",
        ]

    def _links(self) -> dict[tuple[str, int], Interface]:
        """Links by which packets leave, by bridge and OpenFlow port; the patch between the two bridges is none."""
        return {
            (TUNNEL if link.name == "vxlan" else INTEGRATION, link.ofport): link
            for link in self._database.interfaces()
            if link.ofport is not None and _is_exit(link)
        }


def _is_exit(link: Interface) -> bool:
    is_uplink = link.is_uplink and link.name == uplink(link.external_ids[UPLINK])
    return bool(link.iface_id or link.network_id or is_uplink or link.name == "vxlan")


def _packet(request: TracePacket) -> list[str]:
    """A match that one packet alone has."""
    is_v6 = ipaddress.ip_address(request.source).version == 6
    kind = request.protocol + ("6" if is_v6 else "")
    names = ("ipv6_src", "ipv6_dst") if is_v6 else ("nw_src", "nw_dst")
    packet = [
        kind,
        f"dl_src={request.source_mac}",
        f"dl_dst={request.destination_mac}",
        f"{names[0]}={request.source}",
        f"{names[1]}={request.destination}",
        "nw_ttl=64",
    ]
    if request.protocol == "icmp":
        return [*packet, f"icmp{'v6' if is_v6 else ''}_type={128 if is_v6 else 8}"]
    return [*packet, f"tp_src={request.source_port}", f"tp_dst={request.destination_port}"]


def read(
    text: str, owners: Mapping[int, Key], links: Mapping[tuple[str, int], Interface]
) -> tuple[list[TracedFlow], list[TracedExit]]:
    """Flows and exits of what ``ofproto/trace`` printed. ``links`` are by (bridge, OpenFlow port)."""
    flows: list[TracedFlow] = []
    exits: list[TracedExit] = []
    remote = ""
    for bridge, line in _lines(text):
        if bridge not in tables.NAMES:  # the operator's, or the one that tunnels leave by
            continue
        if found := _FLOW.match(line):
            flows.append(_flow(bridge, int(found[1]), found[2], owners))
        elif found := _TUNNEL_TO.search(line):
            remote = found[1]
        elif (found := _OUTPUT.match(line)) and (link := links.get((bridge, int(found[1])))):
            to = remote if link.name == "vxlan" else ""
            exits.append(TracedExit(link=link.name, port_id=link.iface_id, remote=to))
    return flows, exits


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Each line with the bridge that it is about."""
    bridge = ""
    for line in text.splitlines():
        if found := _BRIDGE.match(line):
            bridge = found[1]
        elif _RESUMED in line:
            # the heading names the bridge where the trace began, but conntrack is br-int's alone
            bridge = INTEGRATION
        else:
            yield bridge, line


def _flow(bridge: str, table: int, said: str, owners: Mapping[int, Key]) -> TracedFlow:
    found = _COOKIE.search(said)
    owner = owners.get(int(found[1], 16)) if found and found[1] else None
    match = said[: found.start()] if found else said
    return TracedFlow(
        bridge=bridge, table=tables.NAMES[bridge][table], match=match or "everything", owner=owner
    )
