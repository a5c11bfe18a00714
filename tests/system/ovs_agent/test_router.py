"""A router of one host: between networks, to the outside and back; in this order on one host."""

import re
import sys

import cloud
import pytest
from pretended import changed, eventually
from routed import Scene, fetch, serve

from contract.router import Route


@pytest.fixture(scope="module")
def scene(host):
    """The router is up."""
    made = Scene(host)
    host.agent.store(*made.ports, made.router)
    host.agent.report(made.router, is_active=True)
    return made


def test_guests_of_two_networks_meet_untranslated(scene):
    assert scene.a.reaches("10.12.0.12")
    serve(scene.b, 8000, "b")
    assert fetch(scene.a, "10.12.0.12:8000") == "b to 10.11.0.11"


def test_the_outside_is_reached_with_the_gateways_address(scene):
    serve(scene.outside, 8000, "world")
    assert scene.a.reaches("172.24.4.1")
    assert fetch(scene.a, "172.24.4.1:8000") == "world to 172.24.4.5"


def test_a_gateway_answers_at_all_of_its_addresses(scene):
    gateway = scene.router.gateways[0]
    six = ("172.24.4.6/24", "fd00:ee::5/64")
    scene.outside.run("ip", "addr", "add", "fd00:ee::1/64", "dev", "eth0", "nodad")
    scene.apply(gateways=(changed(gateway, addresses=(*gateway.addresses, *six)),))
    for address, family in (("172.24.4.5", "-4"), ("172.24.4.6", "-4"), ("fd00:ee::5", "-6")):
        assert " 0% packet loss" in scene.outside.run("ping", family, "-c", "2", "-i", "0.2", address), (
            address
        )
    assert fetch(scene.a, "172.24.4.1:8000") == "world to 172.24.4.5"
    scene.apply(gateways=(changed(gateway, addresses=six),))
    assert fetch(scene.a, "172.24.4.1:8000") == "world to 172.24.4.6", "its first address went"
    assert not scene.outside.reaches("172.24.4.5")
    scene.apply(gateways=(gateway,))


def test_nothing_from_outside_is_routed_inwards(scene):
    scene.outside.run("ip", "route", "add", "10.11.0.0/24", "via", "172.24.4.5")
    assert not scene.outside.reaches("10.11.0.11")
    assert scene.outside.reaches("172.24.4.5")


def test_without_snat_it_routes_plainly(scene):
    gateway = scene.router.gateways[0]
    scene.apply(gateways=(changed(gateway, is_snat=False),))
    assert scene.outside.reaches("10.11.0.11")
    assert fetch(scene.a, "172.24.4.1:8000") == "world to 10.11.0.11"
    scene.apply(gateways=(gateway,))
    assert not scene.outside.reaches("10.11.0.11")


def test_a_floating_ip_leads_in_and_out(scene):
    scene.apply(floating_ips=(cloud.floating("172.24.4.10", "10.11.0.11"),))
    serve(scene.a, 8000, "a")
    assert scene.outside.reaches("172.24.4.10")
    assert fetch(scene.outside, "172.24.4.10:8000") == "a to 172.24.4.1"
    assert fetch(scene.a, "172.24.4.1:8000") == "world to 172.24.4.10"
    assert fetch(scene.b, "172.24.4.1:8000") == "world to 172.24.4.5"
    assert fetch(scene.a, "10.12.0.12:8000") == "b to 10.11.0.11", "not what stays inside"


def test_a_neighbour_is_reached_by_its_floating_ip(scene):
    assert fetch(scene.b, "172.24.4.10:8000") == "a to 172.24.4.5", "of another network"
    assert fetch(scene.c, "172.24.4.10:8000") == "a to 172.24.4.5", "of the same network"
    assert fetch(scene.a, "172.24.4.10:8000") == "a to 172.24.4.10", "itself"


CLIENT = """
import socket, time
connection = socket.create_connection(("172.24.4.10", 8000), timeout=5)
print("connected", flush=True)
try:
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)
except OSError as error:
    print("ended", type(error).__name__, flush=True)
"""


def test_a_floating_ip_that_moves_cuts_its_connections(scene):
    serve(scene.b, 9000, "b")
    client = scene.outside.start("python3", "-c", CLIENT, stdout=-1)
    assert client.stdout.readline() == "connected\n"
    assert "172.24.4.10 > 10.11.0.11" in connections(scene)
    scene.apply(floating_ips=(cloud.floating("172.24.4.10", "10.12.0.12"),))
    assert client.stdout.readline().startswith("ended")
    assert fetch(scene.outside, "172.24.4.10:9000") == "b to 172.24.4.1"
    assert "172.24.4.10 > 10.11.0.11" not in connections(scene)


def connections(scene):
    """Where each connection that the router tracks was sent to, and where that led."""
    script = (
        "from pyroute2 import NFCTSocket\n"
        "for entry in NFCTSocket().dump():\n"
        "  ends = [entry.get_attr(f'CTA_TUPLE_{half}').get_attr('CTA_TUPLE_IP') for half in ('ORIG', 'REPLY')]\n"
        "  print(ends[0].get_attr('CTA_IP_V4_DST'), '>', ends[1].get_attr('CTA_IP_V4_SRC'))\n"
    )
    return scene.inside(sys.executable, "-c", script)


def test_port_forwardings(scene):
    told = (
        cloud.forwarding("tcp", "172.24.4.20", "80", "10.11.0.11", "8000"),
        cloud.forwarding("tcp", "172.24.4.20", "8000:8010", "10.12.0.12", "8000:8010"),
        cloud.forwarding("tcp", "172.24.4.20", "9100:9110", "10.12.0.12", "9000:9010"),
    )
    scene.apply(port_forwardings=told)
    assert fetch(scene.outside, "172.24.4.20:80") == "a to 172.24.4.1"
    assert fetch(scene.outside, "172.24.4.20:8000") == "b to 172.24.4.1"
    assert fetch(scene.outside, "172.24.4.20:9100") == "b to 172.24.4.1"
    assert fetch(scene.outside, "172.24.4.20:9000") == ""
    scene.apply(port_forwardings=())
    assert fetch(scene.outside, "172.24.4.20:80") == ""


def test_two_address_scopes_meet_by_translation_alone(scene):
    for guest, number in ((scene.a, 11), (scene.b, 12)):
        guest.run("ip", "addr", "add", f"fd00:{number}::{number}/64", "dev", "eth0", "nodad")
        guest.run("ip", "-6", "route", "add", "default", "via", f"fd00:{number}::1")
    one, two, gateway = *scene.router.interfaces, scene.router.gateways[0]
    assert scene.a.reaches("fd00:12::12", family="-6")
    scene.apply(
        interfaces=(changed(one, ipv4_scope="scope", ipv6_scope="scope"), two),
        gateways=(changed(gateway, ipv4_scope="scope"),),
    )
    assert not scene.a.reaches("10.12.0.12") and not scene.b.reaches("10.11.0.11")
    assert not scene.a.reaches("fd00:12::12", family="-6") and not scene.b.reaches("fd00:11::11", family="-6")
    assert scene.a.reaches("10.11.0.1") and scene.a.reaches("10.11.0.13"), "what is inside of it"
    assert fetch(scene.c, "172.24.4.1:8000") == "world to 10.11.0.13", "as it is, in the gateway's scope"
    assert scene.outside.reaches("10.11.0.11")
    assert fetch(scene.outside, "172.24.4.10:9000") == "b to 172.24.4.1", "in by a floating IP"
    assert fetch(scene.c, "172.24.4.10:9000") == "b to 172.24.4.5"
    assert fetch(scene.b, "172.24.4.1:8000") == "world to 172.24.4.10"
    floating = scene.router.floating_ips
    scene.apply(floating_ips=())
    assert fetch(scene.b, "172.24.4.1:8000") == "world to 172.24.4.5", "out by SNAT"
    scene.apply(gateways=(changed(gateway, ipv4_scope="scope", is_snat=False),), floating_ips=floating)
    assert fetch(scene.b, "172.24.4.1:8000") == "world to 172.24.4.10"
    assert fetch(scene.outside, "172.24.4.10:9000") == "b to 172.24.4.1"
    scene.outside.run("ip", "route", "add", "10.12.0.0/24", "via", "172.24.4.5")
    assert not scene.outside.reaches("10.12.0.12") and scene.outside.reaches("10.11.0.11")
    scene.apply(interfaces=(one, two), gateways=(gateway,))
    assert scene.a.reaches("10.12.0.12") and scene.a.reaches("fd00:12::12", family="-6")


def by_hand(scene):
    """What somebody may do to a router, by what the doctor says is to be done then."""
    gateway = scene.ports[2].id
    return {
        "ApplyNat": lambda: scene.inside("nft", "flush", "ruleset"),
        "FurnishRouter": lambda: [
            scene.inside("ip", "addr", "del", "172.24.4.10/32", "dev", f"qg-{gateway[:11]}"),
            scene.inside("ip", "route", "del", "default"),
        ],
        "MakeLink": lambda: scene.host.run("ip", "link", "del", f"rtr{gateway.replace('-', '')[:12]}"),
        "PlugLink": lambda: scene.host.run("ovs-vsctl", "del-port", f"rtr{gateway.replace('-', '')[:12]}"),
        "MakeRouter": lambda: scene.host.run("ip", "netns", "delete", f"qrouter-{scene.router.id}"),
    }


def plugged(host):
    """What the agent and its switch say of all links, for a failure's message."""
    rows = host.run("ovs-vsctl", "--columns=name,ofport,ifindex,error,external_ids", "list", "Interface")
    counted = host.run("ovs-ofctl", "-O", "OpenFlow14", "dump-ports", "br-int")
    return "\n".join([host.agent.log(), rows, counted, host.run("ip", "-o", "link")])


def is_whole(scene):
    """Whether the router does what it did: out, in, and by its rules."""
    return scene.a.reaches("172.24.4.1", 1) and scene.outside.reaches("172.24.4.10", 1)


def test_what_somebody_undoes_is_noticed_and_mended(scene):
    rules = scene.inside("nft", "list", "ruleset")
    assert "172.24.4.10" in rules
    for name, harm in by_hand(scene).items():
        harm()
        assert eventually(lambda: is_whole(scene), 30, lambda: plugged(scene.host)), name
        assert eventually(lambda: scene.inside("nft", "list", "ruleset") == rules, 10), name


def test_the_doctor_is_told_what_somebody_undid(scene):
    """By an agent that fails to mend it; then it does, also what happened while there was no agent."""
    host, plan = scene.host, scene.host.directory / "faults"
    host.faults = str(plan)
    for name, harm in by_hand(scene).items():
        host.agent.kill()
        harm()
        plan.write_text("agent.router.apply.before fail *\n")
        host.start_agent()
        assert any(name in lack for lack in host.agent.ask(inspect=1)["lacks"]), name
        plan.write_text("")
        assert eventually(lambda: is_whole(scene), 30, lambda: plugged(host)), name
    host.faults = ""
    assert eventually(lambda: not host.agent.ask(inspect=1)["lacks"], 10)


def test_a_router_that_is_down_routes_nothing(scene):
    scene.apply(is_admin_up=False)
    assert not scene.a.reaches("10.12.0.12") and not scene.outside.reaches("172.24.4.5")
    assert not scene.outside.reaches("172.24.4.10")
    scene.apply(is_admin_up=True)
    scene.host.agent.report(scene.router, is_active=True)
    assert eventually(lambda: scene.a.reaches("10.12.0.12"), 10)
    assert eventually(lambda: scene.outside.reaches("172.24.4.10"), 10)


def test_extra_routes(scene):
    scene.c.run("ip", "addr", "add", "10.99.0.1/24", "dev", "lo")
    port = changed(scene.c.port, allowed_address_pairs=(cloud.pair("10.99.0.0/24"),))
    scene.host.agent.store(port)
    scene.host.agent.report(port)
    scene.apply(routes=(Route(destination="10.99.0.0/24", next_hop="10.11.0.13"),))
    assert scene.b.reaches("10.99.0.1")
    scene.apply(routes=())
    assert not scene.b.reaches("10.99.0.1")
    assert "10.99" not in scene.inside("ip", "route")


def test_an_interface_that_goes_takes_its_link_along(scene):
    both = scene.router.interfaces
    scene.apply(interfaces=both[:1])
    assert not scene.a.reaches("10.12.0.12")
    assert f"qr-{scene.ports[1].id[:11]}" not in scene.inside("ip", "-o", "link")
    scene.apply(interfaces=both)
    assert eventually(lambda: scene.a.reaches("10.12.0.12"), 10)


def test_a_link_that_is_left_of_an_interface_goes(scene):
    """As when the agent was killed between unplugging it and removing it."""
    scene.host.run("ip", "link", "add", "rtrleft", "type", "veth", "peer", "name", "qr-left")
    scene.host.run("ip", "link", "set", "qr-left", "netns", f"qrouter-{scene.router.id}")
    assert eventually(lambda: "qr-left" not in scene.inside("ip", "-o", "link"), 10)
    assert "rtrleft" not in scene.host.run("ip", "-o", "link")
    assert eventually(lambda: not scene.host.agent.ask(inspect=1)["lacks"], 10)


def test_an_address_that_arrives_is_announced(scene):
    told = scene.outside.start(sys.executable, "-c", LISTEN, stdout=-1)
    assert told.stdout.readline() == "listening\n"
    scene.apply(floating_ips=(*scene.router.floating_ips, cloud.floating("172.24.4.30", "10.11.0.13")))
    assert told.stdout.readline().split() == ["172.24.4.30", scene.ports[2].mac_address]
    told.kill()


def test_ipv6_addresses_are_announced_when_they_arrive_and_when_an_agent_starts(host, scene):
    """By what a neighbour that knew another MAC believes: an advertisement that overrides."""
    scene.c.run("ip", "-6", "addr", "add", "fd00:11::13/64", "dev", "eth0", "nodad")
    mac = scene.ports[0].mac_address
    wrong = ("neigh", "replace", "fd00:11::1", "lladdr", "fa:16:3e:00:00:99", "dev", "eth0", "nud", "stale")

    def is_known():
        return mac in scene.c.run("ip", "-6", "neigh", "show", "fd00:11::1")

    scene.c.run("ip", "-6", *wrong)
    host.agent.stop()
    assert not is_known()
    host.start_agent()
    eventually(is_known, 20)
    leg = scene.router.interfaces[0]
    more = "fd00:11::2"
    scene.c.run("ip", "-6", *(more if word == "fd00:11::1" else word for word in wrong))
    scene.apply(
        interfaces=(changed(leg, addresses=(*leg.addresses, f"{more}/64")), *scene.router.interfaces[1:])
    )
    eventually(lambda: mac in scene.c.run("ip", "-6", "neigh", "show", more), 10)
    assert "router" in scene.c.run("ip", "-6", "neigh", "show", more)
    scene.apply(interfaces=(leg, *scene.router.interfaces[1:]))


LISTEN = """
import socket
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
sock.bind(("eth0", 0x0806))
print("listening", flush=True)
while True:
    frame = sock.recv(100)
    sender, target = frame[28:32], frame[38:42]
    if sender == target:
        print(socket.inet_ntoa(sender), frame[22:28].hex(":"), flush=True)
"""


def test_the_doctor_knows_all_of_it(scene):
    found = scene.host.agent.ask(inspect=1)["inspect"]
    assert all(is_known for *_, is_known in found), found
    assert any(place == f"qrouter-{scene.router.id}" for _, _, place, _ in found)


def test_removal_leaves_nothing(scene):
    agent = scene.host.agent
    agent.bury(scene.router, *scene.ports)
    for document in (scene.router, *scene.ports):
        agent.report(document, state="removed")
    assert "qrouter" not in scene.host.run("ls", "/run/netns")
    assert not re.search(r"\brtr|qr-|qg-", scene.host.run("ip", "-o", "link"))
    assert "rtr" not in scene.host.run("ovs-vsctl", "list-ports", "br-int")
    assert not scene.a.reaches("10.12.0.12")
