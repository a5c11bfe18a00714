"""Limits of ports and outer addresses on the real switch: what arrives of what is sent, limited and not, in one run."""

import sys
import threading

import cloud
import pytest
from listen import heard
from pretended import changed, eventually
from routed import Scene

from contract.qos import Limit
from contract.router import AddressLimits

#: What is sent: 16 Mbit/s in 2,000 packets a second.
_SENT_KBPS, _SENT_PKTPS, _SECONDS = 16_000, 2_000, 2
_SEND = """
import socket, sys, time
address, count, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sock, begun = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), time.monotonic()
for number in range(count):
    sock.sendto(bytes(972), (address, 9))
    time.sleep(max(0, begun + number / rate - time.monotonic()))
"""
#: What arrives where nothing is limited, at least: a busy machine loses some.
_FREE = 0.5


def limit(direction, unit, rate):
    """A limit with the burst that a rule has which names none."""
    return Limit(direction=direction, unit=unit, rate=rate, burst=rate * 4 // 5)


def share(sender, receiver, address):
    """The part of what is sent that arrives, as links count it: what a program tells itself is limited too."""
    before, count = received(receiver), _SENT_PKTPS * _SECONDS
    sender.run(sys.executable, "-c", _SEND, address, str(count), str(_SENT_PKTPS))
    return (received(receiver) - before) / count


def received(guest):
    """Packets that came in by all links of a namespace but its loopback."""
    lines = (line.partition(":") for line in guest.run("cat", "/proc/net/dev").splitlines()[2:])
    return sum(int(counts.split()[1]) for name, _, counts in lines if name.strip() != "lo")


@pytest.fixture(scope="module")
def three(host):
    """Guests of one network that let everything pass."""
    network, segment = cloud.network("limits", 901, "10.7.0.0/24")
    group = cloud.group("limits", cloud.rule(), *cloud.out_all())
    ports = [cloud.port(f"limit{n}", network, n, group) for n in (11, 12, 13)]
    host.agent.store(segment, group, network, *ports)
    guests = [host.guest(f"l{n}", p, f"10.7.0.{n}/24") for n, p in zip((11, 12, 13), ports, strict=True)]
    for guest in guests:
        guest.plug()
        guest.await_wired()
    return guests


def lay(guest, *limits, dscp_mark=None):
    """The limits on the guest's port, once they are in force."""
    port = changed(guest.port, limits=limits, dscp_mark=dscp_mark)
    guest.host.agent.store(port)
    guest.host.agent.report(port, is_wired=True)


def meters(host):
    """How many meters the switch has."""
    return host.run("ovs-ofctl", "-O", "OpenFlow14", "dump-meters", "br-int").count("meter=")


@pytest.mark.parametrize("direction", ["egress", "ingress"])
@pytest.mark.parametrize(("unit", "rate"), [("kbps", _SENT_KBPS // 10), ("pktps", _SENT_PKTPS // 10)])
def test_a_tenth_arrives_where_a_tenth_may(three, direction, unit, rate):
    left, right, _ = three
    limited = left if direction == "egress" else right
    lay(limited, limit(direction, unit, rate))
    assert 0.05 < share(left, right, "10.7.0.12") < 0.25
    assert share(right, left, "10.7.0.11") > _FREE, "the other direction is free"
    lay(limited)
    assert meters(left.host) == 0


def test_limits_change_without_a_lost_packet(three):
    left = three[0]
    lay(left, limit("egress", "kbps", 9000))
    lines = []
    ping = left.start("ping", "-i", "0.01", "-c", "150", "10.7.0.12", stdout=-1)
    reader = threading.Thread(target=lambda: lines.extend(ping.stdout), daemon=True)
    reader.start()
    eventually(lambda: len(lines) > 5, 10)
    for number in range(8):
        lay(left, limit("egress", "kbps", 1000 + number), limit("ingress", "pktps", 900 + number))
        lay(left, dscp_mark=number % 2 * 8)
        lay(left)
    assert ping.wait(timeout=20) == 0
    reader.join(5)
    assert " 0% packet loss" in "".join(lines)


def test_a_limited_neighbour_costs_others_no_broadcast(three):
    """A meter that drops one copy of a flooded frame leaves the other copies alone."""
    left, right, third = three
    lay(right, limit("ingress", "pktps", 10))
    before = {guest.name: received(guest) for guest in (right, third)}
    flood = (
        "from scapy.all import *\n"
        "sendp(Ether(src='{}',dst='ff:ff:ff:ff:ff:ff')/IP(src='10.7.0.11',dst='10.7.0.255')/UDP(dport=9)"
        "/Raw(b'x'), iface='eth0', count=600, inter=0.001, verbose=0)"
    )
    left.python(flood.format(left.port.mac_address))
    eventually(lambda: received(third) - before[third.name] >= 590, 10)
    assert received(right) - before[right.name] < 200
    lay(right)


def test_packets_are_marked(three):
    left, right, _ = three
    lay(left, dscp_mark=26)
    frames = heard(right, lambda: left.run("ping", "-c", "3", "-i", "0.2", "10.7.0.12"))
    assert {frame[15] for frame in frames if frame[12:14] == b"\x08\x00" and frame[23] == 1} == {26 << 2}
    lay(left)


def test_meters_outlive_the_agent_and_come_back_with_the_switch(three):
    left, right, _ = three
    host = left.host
    lay(left, limit("egress", "kbps", _SENT_KBPS // 10))
    host.agent.kill()
    assert 0.05 < share(left, right, "10.7.0.12") < 0.25
    host.start_agent()
    assert host.agent.ask(idle=30)["idle"] and meters(host) == 1
    host.run("sh", "-c", "kill -9 $(cat /run/openvswitch/ovs-vswitchd.pid)")
    host.run("ovs-vswitchd", "unix:/run/openvswitch/db.sock", "--pidfile", "--detach", "--no-chdir")
    eventually(lambda: meters(host) == 1, 20, host.agent.log)
    left.await_wired()
    right.await_wired()
    assert 0.05 < share(left, right, "10.7.0.12") < 0.25
    left.unplug()
    eventually(lambda: meters(host) == 0, 20)
    left.plug().await_wired()
    lay(left)


def test_outer_addresses_are_limited_both_ways(host):
    """A floating IP, and the gateway's own address for what has none."""
    scene = Scene(host)
    host.agent.store(*scene.ports, scene.router)
    host.agent.report(scene.router, is_active=True)
    floating = cloud.floating("172.24.4.10", "10.11.0.11")
    scene.apply(floating_ips=(floating,))
    tenth = [limit(direction, "kbps", _SENT_KBPS // 10) for direction in ("ingress", "egress")]
    assert share(scene.outside, scene.a, "172.24.4.10") > _FREE
    outer = AddressLimits(address="172.24.4.10", limits=(tenth[0],))
    scene.apply(floating_ip_limits=(outer,))
    assert 0.05 < share(scene.outside, scene.a, "172.24.4.10") < 0.25
    assert share(scene.a, scene.outside, "172.24.4.1") > _FREE
    (gateway,) = scene.router.gateways
    scene.apply(
        floating_ip_limits=(changed(outer, limits=(tenth[1],)),),
        gateways=(changed(gateway, limits=(tenth[1],)),),
    )
    assert 0.05 < share(scene.a, scene.outside, "172.24.4.1") < 0.25
    assert 0.05 < share(scene.b, scene.outside, "172.24.4.1") < 0.25
    assert share(scene.outside, scene.a, "172.24.4.10") > _FREE
