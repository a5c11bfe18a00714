"""``controller-manage trace-packet``: which neighbour is next, what routers make of a packet, and how it is told."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from contract.calls import TracedExit, TracedFlow, TracePacket, TracePacketAnswer
from contract.document import Key
from controller.db.session import Database
from controller.main import manage
from controller.main.look import trace_packet
from controller.network.ports.model import Port
from controller.network.subnets.model import Subnet
from runtime.bus import UnreachableError
from tests.fakes.fake_cloud import FakeCloud

Make = Callable[..., dict[str, Any]]
Trace = Callable[..., Result]


class Switches:
    """The hosts' switches: what they were asked, and to whom a MAC leads."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.asked: list[tuple[str, TracePacket]] = []
        self.is_dropping = self.is_away = False

    def call(self, to: tuple[str, str], method: str, request: TracePacket, answer: type[Any]) -> Any:
        assert (to[0], method, answer) == ("ovs-agent", "trace_packet", TracePacketAnswer)
        if self.is_away:
            raise UnreachableError("nobody answers")
        self.asked.append((to[1], request))
        flow = TracedFlow(bridge="br-int", table="SOURCE", match="m", owner=Key("port", request.port_id))
        exits = () if self.is_dropping else (self._exit(to[1], request.destination_mac),)
        return TracePacketAnswer(flows=(flow,), exits=exits, text="as the switch says")

    def _exit(self, host: str, mac: str) -> TracedExit:
        with self._db.read() as session:
            port = session.scalar(select(Port).where(Port.mac_address == mac))
        if port is None:
            return TracedExit(link="int-br-ex")
        if port.binding_host not in ("", host):
            return TracedExit(link="vxlan", remote=f"192.0.2.{port.binding_host[-1]}")
        return TracedExit(link="tap", port_id=port.id)


@pytest.fixture
def switches(db: Database) -> Switches:
    return Switches(db)


@pytest.fixture
def trace(db: Database, switches: Switches, monkeypatch: pytest.MonkeyPatch) -> Trace:
    """Runs the command on the test's database and switches."""

    class Process:
        conf = keys = None

        def __init__(self) -> None:
            self.db = db

    monkeypatch.setattr(trace_packet, "configured", Process)
    monkeypatch.setattr(trace_packet, "Bus", lambda *_: switches)
    return lambda *arguments: CliRunner().invoke(manage.cli, ["trace-packet", *arguments])


@pytest.fixture
def cloud(db: Database) -> FakeCloud:
    made = FakeCloud(db)
    for number in (1, 2):
        host = made.add_host(f"node{number}")
        host.tunnel_ip, host.bridge_mappings = f"192.0.2.{number}", {"public": "br-ex"}
        host.beat()
    return made


@pytest.fixture
def guest(cloud: FakeCloud, db: Database, make: Make, net: Any) -> Callable[..., dict[str, Any]]:
    """A port of ``net`` on a host."""

    def plug(host: str = "node1", **values: Any) -> dict[str, Any]:
        port = make("port", **{"network_id": net["id"], "device_owner": "compute:nova"} | values)
        with_host = lambda s: setattr(s.get(Port, port["id"]), "binding_host", host)  # noqa: E731
        db.write(with_host)
        return port

    return plug


@pytest.fixture
def outside(cloud: FakeCloud, make: Make) -> dict[str, Any]:
    """An external network on which others are, too."""
    flat = {"provider:network_type": "flat", "provider:physical_network": "public"}
    network = make("network", token="admin@admin", **{"router:external": True}, **flat)
    make("subnet", token="admin@admin", network_id=network["id"], ip_version=4, cidr="198.51.100.0/24")
    return network


@pytest.fixture
def router(cloud: FakeCloud, api: Any, make: Make, outside: Any, net: Any) -> dict[str, Any]:
    """A router between ``net`` and ``outside``, on a host."""
    made = make("router", external_gateway_info={"network_id": outside["id"]})
    joined = api.put(f"/v2.0/routers/{made['id']}/add_router_interface", {"subnet_id": net["subnet"]})
    assert joined.status_code == 200, joined.text
    return made


def _told(result: Result) -> str:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.output


def test_a_neighbour_on_the_same_host(trace: Trace, switches: Switches, guest: Any) -> None:
    a, b = guest(name="a"), guest(name="b")
    result = trace("a", b["fixed_ips"][0]["ip_address"], "--port", "22")
    assert result.exit_code == 0, result.output
    assert f"port {b['id']}" in result.output and "as the switch says" not in result.output
    ((host, request),) = switches.asked
    assert (host, request.destination_mac, request.source_mac) == (
        "node1",
        b["mac_address"],
        a["mac_address"],
    )
    assert (request.destination_port, request.protocol) == (22, "tcp")
    assert "as the switch says" in trace("a", b["fixed_ips"][0]["ip_address"], "--raw").output


def test_a_neighbour_on_another_host_is_followed_through_the_tunnel(
    trace: Trace, switches: Switches, guest: Any
) -> None:
    a, b = guest(), guest("node2")
    assert trace(a["id"], b["fixed_ips"][0]["ip_address"]).exit_code == 0
    (first, _), (second, request) = switches.asked
    assert (first, second, request.tunnel_source) == ("node1", "node2", "192.0.2.1")


def test_what_is_dropped_is_said_with_the_reason(trace: Trace, switches: Switches, guest: Any) -> None:
    switches.is_dropping = True
    a, b = guest(), guest()
    result = trace(a["id"], b["fixed_ips"][0]["ip_address"], "--source", "10.0.0.99")
    assert result.exit_code == 1 and "port security" in result.output
    assert switches.asked[0][1].source == "10.0.0.99"


def test_snat_a_floating_ip_and_a_port_forwarding(
    trace: Trace, switches: Switches, guest: Any, router: Any, outside: Any, make: Make, api: Any
) -> None:
    a, b = guest(), guest()
    a_ip, b_ip = (port["fixed_ips"][0]["ip_address"] for port in (a, b))
    gateway = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
    result = trace(a["id"], "203.0.113.5", "--protocol", "icmp")
    assert result.exit_code == 0 and f"SNAT: {a_ip} leaves as {gateway}" in result.output
    assert switches.asked[-1][1].source == gateway
    floating = make("floatingip", floating_network_id=outside["id"], port_id=a["id"])["floating_ip_address"]
    assert f"floating IP: {a_ip} leaves as {floating}" in trace(a["id"], "203.0.113.5").output
    other = make("floatingip", floating_network_id=outside["id"])
    body = {
        "port_forwarding": {
            "protocol": "tcp",
            "internal_ip_address": b_ip,
            "internal_port_id": b["id"],
            "internal_port": 22,
            "external_port": 2222,
        }
    }
    answer = api.post(f"/v2.0/floatingips/{other['id']}/port_forwardings", body)
    assert answer.status_code == 201, answer.text
    result = trace(a["id"], other["floating_ip_address"], "--port", "2222")
    assert f"forwarded to {b_ip}:22" in result.output, result.output
    assert (switches.asked[-1][1].destination, switches.asked[-1][1].destination_port) == (b_ip, 22)
    assert f"stands for {a_ip}" in trace(b["id"], floating).output


def test_what_goes_nowhere_is_said(
    trace: Trace, switches: Switches, guest: Any, api: Any, net: Any, make: Make
) -> None:
    a = guest(name="a")
    assert "nobody answers for it" in _told(trace("a", "10.0.0.77"))
    assert "nobody answers for it" in _told(trace("a", "203.0.113.5")), "the gateway's address is no port's"
    assert "of no subnet" in _told(trace("a", "203.0.113.5", "--source", "172.16.0.1"))
    assert "different IP versions" in _told(trace("a", "10.0.0.1", "--source", "fd00::1"))
    assert "no address of IPv6" in _told(trace("a", "fd00::1"))
    assert "not appear to be" in _told(trace("a", "x"))
    assert "there is no port" in _told(trace("z", "10.0.0.1"))
    guest(name="a")
    assert "give an id" in _told(trace("a", "10.0.0.1"))
    unbound = make("port", network_id=net["id"])
    b = guest()
    assert "is on no host" in _told(trace(unbound["id"], b["fixed_ips"][0]["ip_address"]))
    switches.is_away = True
    result = trace(a["id"], b["fixed_ips"][0]["ip_address"])
    assert result.exit_code == 1 and "nobody answers" in result.output


def test_routes_of_subnets_and_routers_are_followed(
    trace: Trace, guest: Any, router: Any, api: Any, net: Any
) -> None:
    a, b = guest(), guest()
    b_ip = b["fixed_ips"][0]["ip_address"]
    routes = {"subnet": {"host_routes": [{"destination": "192.0.2.0/25", "nexthop": b_ip}]}}
    assert api.put(f"/v2.0/subnets/{net['subnet']}", routes).status_code == 200
    assert f"192.0.2.0/25 is by {b_ip}" in trace(a["id"], "192.0.2.9").output
    body = {"router": {"routes": [{"destination": "192.0.2.128/25", "nexthop": b_ip}]}}
    assert api.put(f"/v2.0/routers/{router['id']}", body).status_code == 200
    assert f"192.0.2.128/25 is by {b_ip}" in trace(a["id"], "192.0.2.200").output
    assert api.put(f"/v2.0/routers/{router['id']}", {"router": {"admin_state_up": False}}).status_code == 200
    assert "is not up" in trace(a["id"], "192.0.2.200").output


def test_a_router_keeps_address_scopes_apart(
    trace: Trace, guest: Any, router: Any, outside: Any, api: Any, make: Make
) -> None:
    ports = []
    for prefix in ("172.16.1.0/24", "172.16.2.0/24"):
        scope = make("address_scope", name=prefix, ip_version=4)
        pool = make("subnetpool", name=prefix, prefixes=[prefix], address_scope_id=scope["id"])
        network = make("network")
        taken = {"ip_version": 4, "subnetpool_id": pool["id"], "prefixlen": 24}
        subnet = make("subnet", network_id=network["id"], **taken)
        joined = api.put(f"/v2.0/routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]})
        assert joined.status_code == 200, joined.text
        ports.append(guest(network_id=network["id"]))
    a, b = ports
    to = b["fixed_ips"][0]["ip_address"]
    assert "different address scopes" in _told(trace(a["id"], to))
    assert "SNAT" in trace(a["id"], "203.0.113.5").output, "translation leads across"
    floating = make("floatingip", floating_network_id=outside["id"], port_id=b["id"])["floating_ip_address"]
    assert f"stands for {to}" in trace(a["id"], floating).output


def test_nothing_comes_in_by_a_gateway_untranslated(
    trace: Trace, guest: Any, router: Any, outside: Any, db: Database, make: Make
) -> None:
    a = guest()
    inner = a["fixed_ips"][0]["ip_address"]
    gateway = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
    stranger = guest(network_id=outside["id"], token="admin@admin")
    routes = [{"destination": "10.0.0.0/24", "nexthop": gateway}]
    db.write(
        lambda s: setattr(
            s.scalar(select(Subnet).where(Subnet.network_id == outside["id"])), "host_routes", routes
        )
    )
    assert "only translation leads in" in _told(trace(stranger["id"], inner))
