"""``controller-manage trace-packet``: the way of a packet through flows and routers, leg by leg.

Rows say who the next neighbour is (``controller/network/way.py``); the switch of each host on the way is asked what its
flows make of the packet (``ofproto/trace``). Nothing is sent.
"""

import ipaddress
import sys
from collections.abc import Iterator
from typing import Any

import click
import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from contract import topics
from contract.calls import TracedFlow, TracePacket, TracePacketAnswer
from controller.db.agents import Agent
from controller.main.look import screen
from controller.main.process import configured
from controller.network import way
from controller.network.ports.model import Port, PortAddress
from controller.network.way import Leg, NoWayError, Packet
from runtime.bus import CONTROLLER, Bus, BusError

#: A packet that crosses so many routers goes in a circle.
_MOST_LEGS = 8
#: Why a packet ends in a table, where that is not plain from its name.
_REASONS = {
    "SOURCE": "the port may not send from this MAC or address (port security)",
    "EGRESS_VERDICT": "no rule of the port's security groups lets it out",
    "INGRESS_VERDICT": "no rule of the security groups of the port that it is for lets it in",
    "FORWARD": "nobody on the network has this MAC",
    "UPLINK": "only what a guest of this host sent goes to other hosts",
}


@click.command("trace-packet")
@click.argument("port")
@click.argument("destination")
@click.option("--source", help="The address that it is from; else the port's own.")
@click.option("--source-mac", help="The MAC that it is from; else the port's own.")
@click.option("--protocol", type=click.Choice(("tcp", "udp", "icmp")), default="tcp", show_default=True)
@click.option("--source-port", type=click.IntRange(0, 65535), default=40000, show_default=True)
@click.option("--port", "destination_port", type=click.IntRange(0, 65535), default=80, show_default=True)
@click.option("--raw", is_flag=True, help="What the switches say, word by word.")
@screen.as_json
def trace_packet(port: str, destination: str, is_json: bool, raw: bool, **asked: Any) -> None:
    """Show the way of a packet that PORT (id, name or fixed IP) sends to the address DESTINATION.

    It is the first of its connection; nothing is sent. Ends with status 1 if it would arrive nowhere.
    """
    process = configured()
    bus = Bus(process.conf, CONTROLLER, process.keys)
    with process.db.read() as session:
        begin = _port(session, port)
        told = list(
            _legs(session, bus, begin, _packet(session, begin, destination, asked), asked["source_mac"])
        )
    if is_json:
        screen.show_json(told)
    else:
        for number, leg in enumerate(told, 1):
            _show(number, leg, raw)
    sys.exit(0 if told[-1]["arrives"] else 1)


def _port(session: Session, name: str) -> Port:
    """Ends the program when there is none, or more than one."""
    having = select(PortAddress.port_id).where(PortAddress.ip_address == name)
    found = session.scalars(
        select(Port).where(or_(Port.id == name, Port.name == name, Port.id.in_(having)))
    ).all()
    if len(found) == 1:
        return found[0]
    if found:
        sys.exit(
            f"error: {len(found)} ports answer to {name!r}: give an id: {', '.join(p.id for p in found)}"
        )
    sys.exit(f"error: there is no port {name!r}")


def _packet(session: Session, port: Port, destination: str, asked: dict[str, Any]) -> Packet:
    """The packet that was asked for; its source is the port's first address of the same IP version."""
    source = asked["source"]
    try:
        version = ipaddress.ip_address(destination).version
        if source and ipaddress.ip_address(source).version != version:
            raise ValueError(f"{source!r} and {destination!r} are of different IP versions")
    except ValueError as error:
        sys.exit(f"error: {error}")
    having = (
        select(PortAddress.ip_address).where(PortAddress.port_id == port.id).order_by(PortAddress.ordinal)
    )
    own = [text for text in session.scalars(having) if ipaddress.ip_address(text).version == version]
    if not source and not own:
        sys.exit(f"error: port {port.id} has no address of IPv{version}: give one by --source")
    return Packet(
        source or own[0], destination, asked["protocol"], asked["source_port"], asked["destination_port"]
    )


def _legs(
    session: Session, bus: Bus, begin: Port, packet: Packet, source_mac: str | None
) -> Iterator[screen.Row]:
    """One row a leg; the last one says how it ends."""
    try:
        leg = way.from_port(session, begin, packet)
        for _ in range(_MOST_LEGS):
            row, end = _leg(session, bus, leg, source_mac or leg.port.mac_address)
            yield row
            if end is None or not end.router_id:
                return
            leg, source_mac = way.across(session, end, leg.packet), None
    except NoWayError as error:
        yield {"way": "", "flows": [], "end": str(error), "arrives": False, "raw": ""}
        return
    end_of_it = f"after {_MOST_LEGS} routers it is still under way: they send it in a circle"
    yield {"way": "", "flows": [], "end": end_of_it, "arrives": False, "raw": ""}


def _leg(session: Session, bus: Bus, leg: Leg, source_mac: str) -> tuple[screen.Row, Port | None]:
    """What the switches on the way make of a leg, and the port of ours at which it ends."""
    host, port, packet = leg.port.binding_host, leg.port, leg.packet
    request = TracePacket(
        port_id=port.id,
        network_id=port.network_id,
        source_mac=source_mac,
        destination_mac=leg.destination_mac,
        source=packet.source,
        destination=packet.destination,
        protocol=packet.protocol,
        source_port=packet.source_port,
        destination_port=packet.destination_port,
    )
    flows, raw = [], ""
    if not host:
        raise NoWayError(f"port {port.id} is on no host")
    while True:
        answer = _ask(bus, host, request)
        flows += [_flow(host, flow) for flow in answer.flows]
        raw += f"# {host}\n{answer.text}\n"
        far = next((e.remote for e in answer.exits if e.remote), "")
        if not far or len(answer.exits) > 1 or request.tunnel_source:
            break
        vteps = _vteps(session)
        request = msgspec.structs.replace(request, tunnel_source=vteps[host])
        host = next((name for name, vtep in vteps.items() if vtep == far), far)
    end, arrives, at = _end(session, host, answer)
    row = {
        "way": f"{_told(packet)} from port {port.id} of {_owner(port)}: {leg.because}",
        "flows": flows,
        "end": end,
        "arrives": arrives,
        "raw": raw,
    }
    return row, at


def _ask(bus: Bus, host: str, request: TracePacket) -> TracePacketAnswer:
    try:
        return bus.call((topics.OVS_AGENT, host), "trace_packet", request, TracePacketAnswer)
    except BusError as error:
        raise NoWayError(f"{host} cannot say: {error}") from error


def _vteps(session: Session) -> dict[str, str]:
    """The tunnel address of each host."""
    rows = session.execute(select(Agent.host, Agent.capabilities).where(Agent.agent == topics.OVS_AGENT))
    return {host: capabilities.get("tunnel_ip", "") for host, capabilities in rows}


def _end(session: Session, host: str, answer: TracePacketAnswer) -> tuple[str, bool, Port | None]:
    """Where the packet is in the end, in words; whether that is somewhere; and the port of ours that it is at."""
    if not answer.flows:
        raise NoWayError(f"what the switch of {host} said was not understood:\n{answer.text}")
    if not answer.exits:
        last = answer.flows[-1]
        reason = _REASONS.get(last.table, last.match)
        return f"dropped on {host} in table {last.table}: {reason}", False, None
    if len(answer.exits) > 1:
        return f"copied to {', '.join(e.link for e in answer.exits)} on {host}", True, None
    leaving = answer.exits[0]
    port = session.get(Port, leaving.port_id) if leaving.port_id else None
    if port is not None:
        return f"at {leaving.link} on {host}: port {port.id} of {_owner(port)}", True, port
    return f"leaves {host} by {leaving.link}", True, None


def _owner(port: Port) -> str:
    if port.router_id:
        return f"router {port.router_id}"
    return f"server {port.server_id}" if port.server_id else (port.device_owner or "nobody")


def _told(packet: Packet) -> str:
    if packet.protocol == "icmp":
        return f"icmp {packet.source} → {packet.destination}"
    return f"{packet.protocol} {packet.source}:{packet.source_port} → {packet.destination}:{packet.destination_port}"


def _flow(host: str, flow: TracedFlow) -> screen.Row:
    owner = f"{flow.owner.kind} {flow.owner.id}" if flow.owner else ""
    return {"host": host, "bridge": flow.bridge, "table": flow.table, "of": owner, "match": flow.match}


def _show(number: int, leg: screen.Row, raw: bool) -> None:
    screen.heading(f"{number}. {leg['way']}" if leg["way"] else f"{number}.")
    if raw:
        click.echo(leg["raw"])
    elif leg["flows"]:
        screen.table(leg["flows"], "")
    click.secho(f"  → {leg['end']}", fg="green" if leg["arrives"] else "red")
