"""A guest sends what is not its own: none of it is seen by the neighbour (SECURITY rows 20 and 21)."""

import contextlib
import sys

import cloud
import pytest
from listen import heard
from pretended import PATH, changed, eventually
from test_restarts import start_vswitchd, vswitchd

#: Sends frames, each with the name of what it tries as payload where there is room for one.
PRELUDE = """
import logging; logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import *
from scapy.layers.dhcp6 import DHCP6_Advertise
conf.verb = 0
me, you, mine, yours = "{me}", "{you}", "{mine}", "{yours}"
def ll(mac):
    p = [int(x, 16) for x in mac.split(":")]; p[0] ^= 2
    return "fe80::%02x%02x:%02xff:fe%02x:%02x%02x" % tuple(p)
other = "fa:16:3e:66:66:66"
to = Ether(src=me, dst=you)
v6 = IPv6(src=ll(me), dst="ff02::1", hlim=255)
"""

FORGED = """
frames = {
    "mac": Ether(src=other, dst=you) / IP(src=mine, dst=yours) / UDP(sport=1, dport=9999),
    "ipv4": to / IP(src="10.5.0.77", dst=yours) / UDP(sport=1, dport=9999),
    "ipv4 of the neighbour": to / IP(src=yours, dst=yours) / UDP(sport=1, dport=9999),
    "ipv6": to / IPv6(src="fd00:5::77", dst="fd00:5::12") / UDP(sport=1, dport=9999),
    "arp reply": to / ARP(op=2, hwsrc=me, psrc="10.5.0.77", hwdst=you, pdst=yours),
    "arp request": Ether(src=me, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=me, psrc="10.5.0.77", pdst=yours),
    "arp hardware": Ether(src=me, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=other, psrc=mine, pdst=yours),
    "na": to / v6 / ICMPv6ND_NA(tgt="fd00:5::77") / ICMPv6NDOptDstLLAddr(lladdr=me),
    "na lladdr": to / v6 / ICMPv6ND_NA(tgt="fd00:5::11") / ICMPv6NDOptDstLLAddr(lladdr=other),
    "na of the neighbour": to / v6 / ICMPv6ND_NA(tgt="fd00:5::12") / ICMPv6NDOptDstLLAddr(lladdr=me),
    "ns lladdr": to / v6 / ICMPv6ND_NS(tgt="fd00:5::12") / ICMPv6NDOptSrcLLAddr(lladdr=other),
    "ns source": to / IPv6(src="fd00:5::77", dst="ff02::1", hlim=255) / ICMPv6ND_NS(tgt="fd00:5::12"),
    "ra": to / v6 / ICMPv6ND_RA() / ICMPv6NDOptPrefixInfo(prefix="fd00:bad::", prefixlen=64),
    "redirect": to / v6 / ICMPv6ND_Redirect(tgt="fe80::1", dst="fd00:5::1"),
    "dhcp server": to / IP(src=mine, dst=yours) / UDP(sport=67, dport=68) / BOOTP(op=2, yiaddr="6.6.6.6"),
    "dhcpv6 server": to / IPv6(src=ll(me), dst="fd00:5::12") / UDP(sport=547, dport=546) / DHCP6_Advertise(),
    "vlan": Ether(src=me, dst=you) / Dot1Q(vlan=5) / IP(src=mine, dst=yours) / UDP(sport=1, dport=9999),
    "unknown ethertype": Ether(src=me, dst=you, type=0x88cc) / b"lldp",
}
frames = [bytes(frame / Raw(("forged " + name).encode())) for name, frame in frames.items()]
frames.append(bytes(to / IP(src=mine, dst=yours) / UDP(sport=1, dport=9999) / Raw(b"honest")))
wire = conf.L2socket(iface="eth0")
for frame in frames:
    wire.send(frame)
"""

#: All of it again and again, until told to stop.
FOREVER = """
import select, sys
print("on", flush=True)
while not select.select([sys.stdin], [], [], 0.01)[0]:
    for frame in frames:
        wire.send(frame)
"""


@pytest.fixture(scope="module")
def pair(host):
    """A secured guest that may send everything, and an open one that hears everything."""
    network, segment = cloud.network("spoof", 501, "10.5.0.0/24", "fd00:5::/64")
    group = cloud.group("spoof", *cloud.out_all())
    a = cloud.port("a", network, 11, group)
    b = cloud.port("b", network, 12, is_port_security=False)
    host.agent.store(segment, group, network, a, b)
    host.agent.report(network)
    left, right = host.guest("left", a, "10.5.0.11/24"), host.guest("right", b, "10.5.0.12/24")
    for guest in (left, right):
        guest.plug()
        guest.await_wired()
    return left, right


def forge(left, right):
    """Sends every forged frame and then an honest one."""
    left.python(_forging(left, right))


@contextlib.contextmanager
def forging(left, right):
    """The same all the time."""
    text = _forging(left, right) + FOREVER
    command = ("env", f"PYTHONPATH={PATH}", sys.executable, "-c", text)
    process = left.start(*command, stdin=-1, stdout=-1)
    assert process.stdout.readline() == "on\n"
    yield
    process.communicate("\n", timeout=30)
    assert process.returncode == 0


def _forging(left, right):
    head = PRELUDE.format(
        me=left.port.mac_address, you=right.port.mac_address, mine="10.5.0.11", yours="10.5.0.12"
    )
    return head + FORGED


def test_nothing_forged_is_heard(pair):
    left, right = pair
    frames = heard(right, lambda: forge(left, right))
    forged = {frame[frame.index(b"forged") :] for frame in frames if b"forged" in frame}
    assert not forged
    assert any(b"honest" in frame for frame in frames)


def test_nothing_forged_is_heard_while_agent_and_switch_go_and_come_back(host, pair):
    """A switch that was killed has no flows until the agent filled it, which may itself be away."""
    left, right = pair

    def restart_everything():
        with forging(left, right):
            host.agent.kill()
            host.start_agent()
            assert host.agent.ask(idle=20)["idle"]
            restart_switch(host, left)
            left.await_wired()
            host.agent.kill()
            restart_switch(host)
            host.start_agent()
            assert host.agent.ask(idle=20)["idle"]

    frames = heard(right, restart_everything)
    assert not {frame[frame.index(b"forged") :] for frame in frames if b"forged" in frame}
    assert any(b"honest" in frame for frame in heard(right, lambda: forge(left, right)))


def restart_switch(host, guest=None):
    """Kills ovs-vswitchd, waits until the agent has noticed if it is there to notice, and starts it."""
    host.run("kill", "-9", vswitchd(host))
    if guest is not None:
        eventually(lambda: not guest.mark(), 10, host.agent.log)
    start_vswitchd(host)


def test_the_forged_frames_do_arrive_without_port_security(host, pair):
    """The probe itself works: the same frames are heard when nothing stops them."""
    left, right = pair
    opened = changed(left.port, is_port_security=False)
    host.agent.store(opened)
    host.agent.report(opened)
    frames = heard(right, lambda: forge(left, right))
    forged = {frame[frame.index(b"forged") :] for frame in frames if b"forged" in frame}
    assert len(forged) >= 15, forged
    host.agent.store(left.port)
    host.agent.report(left.port)


def test_allowed_pairs_are_honoured(host, pair):
    left, right = pair
    pairs = (cloud.pair("10.5.0.77"), cloud.pair("10.6.0.0/16"))
    paired = changed(left.port, allowed_address_pairs=pairs)
    host.agent.store(paired)
    host.agent.report(paired)
    frames = heard(right, lambda: forge(left, right))
    forged = {frame[frame.index(b"forged") :] for frame in frames if b"forged" in frame}
    assert {b"forged ipv4", b"forged arp reply", b"forged arp request"} == forged
    host.agent.store(left.port)
    host.agent.report(left.port)


def test_an_open_port_cannot_read_anothers_metadata(host, pair):
    """Source addresses towards the service port are checked even where port security is off."""
    left, right = pair
    host.agent.store(cloud.instance("a", left.port, user_data="c2VjcmV0"), cloud.instance("b", right.port))
    right.run("ip", "route", "replace", "169.254.169.254", "via", "10.5.0.2")
    assert right.get("http://169.254.169.254/latest/meta-data/local-hostname") == "b\n200"
    right.run("ip", "addr", "add", "10.5.0.11/24", "dev", "eth0")
    url = "http://169.254.169.254/latest/user-data"
    assert right.get(url, "--interface", "10.5.0.11").endswith("000")
    right.run("ip", "addr", "del", "10.5.0.11/24", "dev", "eth0")


def test_nothing_passes_before_a_port_is_wired_nor_without_a_document(host, pair):
    """A tap without a document is plugged: its flood is heard by nobody."""
    _, right = pair
    stranger = host.guest(
        "stranger", changed(right.port, id=cloud.identity("nobody"), mac_address="fa:16:3e:00:66:66")
    )
    stranger.plug()
    text = (
        "from scapy.all import *\n"
        "sendp(Ether(src='fa:16:3e:00:66:66',dst='ff:ff:ff:ff:ff:ff')/IP(dst='255.255.255.255')/UDP(dport=9)"
        "/Raw(b'forged'), iface='eth0', count=50, inter=0.01, verbose=0)"
    )
    frames = heard(right, lambda: stranger.python(text))
    assert not [frame for frame in frames if b"forged" in frame]
    stranger.remove()


def test_nothing_forged_passes_while_a_port_is_being_wired(host, pair):
    """A guest that shouts forged frames while its port is being wired is never heard."""
    left, right = pair
    port = cloud.port("loud", cloud.network("spoof", 501, "10.5.0.0/24", "fd00:5::/64")[0], 13)
    port = changed(port, security_group_ids=left.port.security_group_ids)
    loud = host.guest("loud", port, "10.5.0.13/24")
    text = (
        "from scapy.all import *\n"
        "sendp(Ether(src='fa:16:3e:66:66:66',dst='ff:ff:ff:ff:ff:ff')/IP(src='10.5.0.99',dst='10.5.0.12')"
        "/UDP(dport=9)/Raw(b'forged'), iface='eth0', count=400, inter=0.005, verbose=0)"
    )

    def shout_while_wiring():
        shouting = loud.start("env", f"PYTHONPATH={PATH}", sys.executable, "-c", text)
        host.agent.store(port)
        loud.plug()
        loud.await_wired()
        assert shouting.wait(timeout=60) == 0

    frames = heard(right, shout_while_wiring)
    assert not [frame for frame in frames if b"forged" in frame]
    loud.remove()


def test_hostile_documents_only_hurt_themselves(host, pair):
    left, _ = pair
    ports = [cloud.rule(protocol="tcp", port_range_min=n, port_range_max=65534 - n) for n in range(1, 200)]
    hostile = cloud.group(
        "hostile",
        cloud.rule(protocol="tcp", port_range_min=9, port_range_max=1),
        cloud.rule(protocol="dccp", port_range_min=1, port_range_max=2),
        cloud.rule(protocol="x,actions=normal"),
        cloud.rule(protocol="300"),
        cloud.rule(remote_ip_prefix="0.0.0.0/0\nflow add actions=normal"),
        cloud.rule(remote_ip_prefix="::/0"),
        cloud.rule(ethertype="IPv6", remote_ip_prefix="::/0"),
        cloud.rule(protocol="tcp", port_range_min=22, port_range_max=22),
        *ports,
    )
    many = tuple(cloud.pair(f"10.{100 + n // 250}.{n % 250}.0/24") for n in range(10000))
    port = cloud.port("hostile", cloud.network("spoof", 501, "10.5.0.0/24", "fd00:5::/64")[0], 14, hostile)
    port = changed(port, allowed_address_pairs=(*many, cloud.pair("::/0"), cloud.pair("0.0.0.0/0")))
    host.agent.store(hostile, port)
    fault = host.agent.report(hostile, state="failed", timeout_s=60)["fault"]
    assert fault.count("rule ") == 6, fault
    guest = host.guest("hostile", port, "10.5.0.14/24").plug()
    guest.await_wired()
    flows = host.run("ovs-ofctl", "-O", "OpenFlow14", "--no-stats", "dump-flows", "br-int")
    assert "NORMAL" not in flows and "tp_dst=22 " in flows
    assert left.reaches("10.5.0.12")
    guest.remove()


@pytest.mark.usefixtures("pair")
def test_very_many_rules_keep_nobody_out(host):
    """A group of thousands of rules: a port of others is wired beside it, and the group's own in the end."""
    network, _ = cloud.network("spoof", 501, "10.5.0.0/24", "fd00:5::/64")
    prefixes = [f"10.{n // 250}.{n % 250}.0/24" for n in range(4000)]
    many = cloud.group(
        "many",
        *(
            cloud.rule(protocol="tcp", port_range_min=1, remote_ip_prefix=p, port_range_max=65535)
            for p in prefixes
        ),
        *(
            cloud.rule(ethertype="IPv6", protocol="udp", port_range_min=n, port_range_max=n + 9)
            for n in range(1, 900)
        ),
        *cloud.out_all(),
    )
    honest = cloud.group("honest", *cloud.out_all())
    crowded, quiet = cloud.port("crowded", network, 15, many), cloud.port("quiet", network, 16, honest)
    host.agent.store(many, honest, crowded, quiet)
    guests = [host.guest("quiet", quiet, "10.5.0.16/24"), host.guest("crowded", crowded, "10.5.0.15/24")]
    for guest in guests:
        guest.plug()
        guest.await_wired(60)
    host.agent.report(many, timeout_s=60)
    assert all(guest.reaches("10.5.0.12") for guest in guests)
    for guest in guests:
        guest.remove()
