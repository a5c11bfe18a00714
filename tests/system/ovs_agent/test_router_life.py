"""Routers while agent and switch go and come back; routers beside each other; what they advertise."""

import sys

import cloud
import pytest
from pretended import changed, eventually
from routed import Scene
from test_restarts import lost, start_vswitchd, vswitchd

from contract.network import Subnet
from contract.router import AdvertisedPrefix, Router, RouterGateway, RouterInterface


@pytest.fixture(scope="module")
def scene(host):
    """The router is up, with a floating IP for a."""
    made = Scene(host)
    host.agent.store(*made.ports, made.router)
    host.agent.report(made.router, is_active=True)
    made.apply(floating_ips=(cloud.floating("172.24.4.10", "10.11.0.11"),))
    assert eventually(lambda: made.outside.reaches("172.24.4.10"), 10)
    return made


def pings(scene, seconds):
    """Between networks, out with the gateway's address, and in by the floating IP: 50 a second each."""
    ways = ((scene.a, "10.12.0.12"), (scene.b, "172.24.4.1"), (scene.outside, "172.24.4.10"))
    count = str(seconds * 50)
    return [
        place.start("ping", "-i", "0.02", "-c", count, "-W", "1", address, stdout=-1, stderr=-1)
        for place, address in ways
    ]


def test_an_agents_restart_loses_no_packet(host, scene):
    quiet = [lost(ping)[0] for ping in pings(scene, 4)]
    dumps = [scene.inside("nft", "list", "ruleset"), scene.inside("ip", "-o", "addr")]
    for end in ("kill", "stop"):
        running = pings(scene, 6)
        getattr(host.agent, end)()
        host.start_agent()
        assert host.agent.ask(idle=20)["idle"]
        found = [lost(ping) for ping in running]
        print(f"agent {end}: lost of sent {found}, an equal window without: {quiet}")
        assert all(result[0] <= max(quiet) for result in found)
    assert dumps == [scene.inside("nft", "list", "ruleset"), scene.inside("ip", "-o", "addr")]


def test_a_restarted_switch_routes_again(host, scene):
    host.run("kill", "-9", vswitchd(host))
    eventually(lambda: not scene.a.mark(), 10, host.agent.log)
    start_vswitchd(host)
    scene.a.await_wired()
    assert eventually(lambda: scene.a.reaches("10.12.0.12"), 20, host.agent.log)
    assert eventually(lambda: scene.b.reaches("172.24.4.1"), 20, host.agent.log)
    assert scene.outside.reaches("172.24.4.10")


def test_two_routers_with_equal_inner_addresses_never_meet(host, scene):
    """Another tenant's: same addresses inside, each reached by its own floating IP alone."""
    twin, segment = cloud.network("twin", 1201, "10.11.0.0/24")
    ports = [
        cloud.router_port("t", twin, 1),
        cloud.router_port("t", scene.public, 6, "network:router_gateway"),
    ]
    router = Router(
        id=cloud.identity("router-t"),
        project_id="q",
        interfaces=(cloud.leg(RouterInterface, twin, ports[0]),),
        gateways=(cloud.leg(RouterGateway, scene.public, ports[1], next_hops=("172.24.4.1",)),),
        floating_ips=(cloud.floating("172.24.4.11", "10.11.0.11"),),
    )
    host.agent.store(segment, twin, *ports, router)
    other = scene.guest("t", twin, 11)
    host.agent.report(router, is_active=True)
    assert scene.outside.reaches("172.24.4.10") and scene.outside.reaches("172.24.4.11")
    other.run("ip", "link", "set", "eth0", "down")
    assert scene.outside.reaches("172.24.4.10") and not scene.outside.reaches("172.24.4.11")
    other.run("ip", "link", "set", "eth0", "up")
    other.run("ip", "route", "replace", "default", "via", "10.11.0.1")
    assert not other.reaches("10.12.0.12"), "the network of the other router"
    assert other.reaches("172.24.4.10"), "but its floating IP, from outside"
    told = cloud.instance("a", scene.a.port), cloud.instance("t", other.port)
    host.agent.store(*told)
    for guest, name in ((scene.a, "a"), (other, "t")):
        # by way of its router, which has an equal address; what it says of itself is nothing
        forged = ("X-Forwarded-For: 10.11.0.13", f"X-Instance-ID: {cloud.identity('server-a')}")
        forged += (
            "X-Tenant-ID: p",
            "X-Instance-ID-Signature: 0000",
            "X-Neutron-Router-ID: " + scene.router.id,
        )
        options = [word for header in forged for word in ("-H", header)]
        answer = guest.get("http://169.254.169.254/latest/meta-data/local-hostname", *options)
        assert answer == f"{name}\n200"
    host.agent.bury(router, *ports)
    for document in (router, *ports):
        host.agent.report(document, state="removed")
    assert scene.outside.reaches("172.24.4.10")


SOLICIT = """
import logging; logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import *
conf.verb = 0
sniffer = AsyncSniffer(iface="eth0", lfilter=lambda p: ICMPv6ND_RA in p, count=1)
sniffer.start()
time.sleep(0.3)
ask = Ether(src="{mac}", dst="33:33:00:00:00:02") / IPv6(src="::", dst="ff02::2", hlim=255) / ICMPv6ND_RS()
sendp(ask, iface="eth0")
sniffer.join(timeout=8)
for told in sniffer.results or []:
    ra, prefix = told[ICMPv6ND_RA], told[ICMPv6NDOptPrefixInfo]
    print(ra.M, ra.O, ra.routerlifetime > 0, prefix.prefix, prefix.A, told[ICMPv6NDOptMTU].mtu,
          *(told[ICMPv6NDOptRDNSS].dns if ICMPv6NDOptRDNSS in told else ()))
"""


def test_prefixes_are_advertised_by_their_modes(host, scene):
    expected = {
        "slaac": "0 0 True fd00:21:: 1 1450 2001:db8::53\n",
        "dhcpv6-stateless": "0 1 True fd00:21:: 1 1450 2001:db8::53\n",
        "dhcpv6-stateful": "1 1 True fd00:21:: 0 1450 2001:db8::53\n",
    }
    net, segment = cloud.network("six", 1301, "10.13.0.0/24", "fd00:21::/64")
    slaac = Subnet(id=net.subnets[1].id, cidr="fd00:21::/64", ip_version=6, ipv6_ra_mode="slaac")
    net = changed(net, subnets=(net.subnets[0], slaac))
    port = cloud.router_port("r", net, 1)
    host.agent.store(segment, net, port)
    guest = scene.six = scene.guest("six", net, 9)
    for mode, told in expected.items():
        prefix = AdvertisedPrefix(cidr="fd00:21::/64", mode=mode, dns_nameservers=("2001:db8::53",))
        leg = cloud.leg(RouterInterface, net, port, advertised=(prefix,))
        scene.apply(interfaces=(*scene.router.interfaces[:2], leg))
        host.agent.report(scene.router, is_active=True)
        answer = eventually(lambda: guest.python(SOLICIT.format(mac=guest.port.mac_address)), 30)
        assert answer == told, mode


ASK = """
import logging; logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import *
from scapy.layers.dhcp6 import *
conf.verb = 0
mac, own = "{mac}", "{own}"
said = set()
def hear(p):
    if ICMPv6ND_RA in p:
        said.add("RA M%d O%d A%d" % (p[ICMPv6ND_RA].M, p[ICMPv6ND_RA].O, p[ICMPv6NDOptPrefixInfo].A))
    elif DHCP6_Advertise in p and DHCP6OptIAAddress in p:
        said.add("address " + p[DHCP6OptIAAddress].addr)
    elif DHCP6_Reply in p and p[DHCP6_Reply].trid == 9:
        said.add("options " + " ".join(p[DHCP6OptDNSServers].dnsservers))
ready = threading.Event()
AsyncSniffer(iface="eth0", prn=hear, started_callback=ready.set).start()
ready.wait()
solicitation = Ether(src=mac, dst="33:33:00:00:00:02") / IPv6(src=own, dst="ff02::2", hlim=255) / ICMPv6ND_RS()
dhcp = Ether(src=mac, dst="33:33:00:01:00:02") / IPv6(src=own, dst="ff02::1:2") / UDP(sport=546, dport=547)
client = DHCP6OptClientId(duid=DUID_LL(lladdr=mac))
asked = [
    solicitation,
    dhcp / DHCP6_Solicit(trid=7) / client / DHCP6OptIA_NA(iaid=1),
    dhcp / DHCP6_InfoRequest(trid=9) / client / DHCP6OptOptReq(reqopts=[23]),
]
print("ready", flush=True)
for count in sys.stdin:
    said.clear()
    sendp(asked, iface="eth0")
    end = time.monotonic() + 3
    while len(said) < int(count) and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.5)  # more than is expected would come now
    print(sorted(said), flush=True)
"""
_SERVED, _OPTIONS = "address fd00:21::9", "options 2001:db8::53"
#: By ipv6_ra_mode and ipv6_address_mode: what a guest is told.
TOLD = {
    ("slaac", "slaac"): ["RA M0 O0 A1"],
    ("dhcpv6-stateless", "dhcpv6-stateless"): ["RA M0 O1 A1", _OPTIONS],
    ("dhcpv6-stateful", "dhcpv6-stateful"): ["RA M1 O1 A0", _SERVED, _OPTIONS],
    ("slaac", None): ["RA M0 O0 A1"],
    ("dhcpv6-stateless", None): ["RA M0 O1 A1"],
    ("dhcpv6-stateful", None): ["RA M1 O1 A0"],
    (None, "slaac"): [],
    (None, "dhcpv6-stateless"): [_OPTIONS],
    (None, "dhcpv6-stateful"): [_SERVED, _OPTIONS],
    (None, None): [_SERVED, _OPTIONS],
}


def test_guests_are_told_by_the_modes_of_their_subnet(host, scene):
    """Who advertises is the router by ipv6_ra_mode; who answers DHCPv6 is the network by ipv6_address_mode.

    The guest is that of the test before.
    """
    net, _ = cloud.network("six", 1301, "10.13.0.0/24", "fd00:21::/64")
    before, leg = scene.router.interfaces, scene.router.interfaces[2]
    port = cloud.port("six", net, 9, scene.group)
    own = cloud.eui64("fe80::", port.mac_address)
    wrong = {}
    script = ASK.format(mac=port.mac_address, own=own)
    asking = scene.six.start(sys.executable, "-c", script, stdin=-1, stdout=-1)
    assert asking.stdout.readline() == "ready\n"
    for (ra_mode, address_mode), told in TOLD.items():
        six = changed(
            net.subnets[1],
            ipv6_ra_mode=ra_mode,
            ipv6_address_mode=address_mode,
            dns_nameservers=("2001:db8::53",),
        )
        network = changed(net, subnets=(net.subnets[0], six))
        prefixes = tuple(changed(leg.advertised[0], mode=mode) for mode in (ra_mode,) if mode)
        host.agent.store(network)
        host.agent.report(network)
        scene.apply(interfaces=(*before[:2], changed(leg, advertised=prefixes)))
        host.agent.report(scene.router, is_active=True)
        asking.stdin.write(f"{len(told)}\n")
        asking.stdin.flush()
        if (answer := asking.stdout.readline().strip()) != str(told):
            wrong[ra_mode, address_mode] = answer
    asking.kill()
    scene.apply(interfaces=before)
    assert not wrong


def test_a_guest_gives_itself_an_address_and_is_routed(host, scene):
    """By what the test before advertised, once it is SLAAC again."""
    leg = scene.router.interfaces[2]
    slaac = changed(leg.advertised[0], mode="slaac")
    scene.apply(interfaces=(*scene.router.interfaces[:2], changed(leg, advertised=(slaac,))))
    network, _ = cloud.network("six", 1301, "10.13.0.0/24", "fd00:21::/64")
    port = cloud.port("self", network, 8, scene.group)
    own = cloud.eui64("fd00:21::", port.mac_address)
    port = changed(port, fixed_ips=(changed(port.fixed_ips[1], ip_address=own),))
    host.agent.store(port)
    guest = host.guest("self", port).plug()
    guest.await_wired()
    guest.run("sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=1", "net.ipv6.conf.eth0.addr_gen_mode=0")
    guest.run("ip", "link", "set", "eth0", "down")
    guest.run("ip", "link", "set", "eth0", "up")
    eventually(lambda: f"{own}/64" in guest.run("ip", "-6", "addr", "show", "dev", "eth0"), 20)
    assert "default via fe80::" in guest.run("ip", "-6", "route")
    assert eventually(lambda: guest.reaches("fd00:11::1", family="-6"), 10)


def test_the_agent_killed_at_every_action_converges(host, scene):
    """A new router for two networks; the agent dies before and after each action that makes it."""
    actions = ("make_router", "make_link", "plug_link", "apply_nat", "furnish_router", "announce")
    lines = [f"ovs.{action}.{when} kill" for action in actions for when in ("before", "after")]
    host.agent.stop()
    plan = host.directory / "faults"
    host.faults = str(plan)
    for number, line in enumerate(lines):
        plan.write_text("")
        network, segment = cloud.network(f"k{number}", 1400 + number, "10.14.0.0/24")
        name = f"k{number}"
        port = cloud.router_port(name, network, 1)
        gateway = cloud.router_port(name, scene.public, 30 + number, "network:router_gateway")
        router = Router(
            id=cloud.identity(f"router-{name}"),
            project_id="p",
            interfaces=(cloud.leg(RouterInterface, network, port),),
            gateways=(cloud.leg(RouterGateway, scene.public, gateway, next_hops=("172.24.4.1",)),),
        )
        host.start_agent()
        assert host.agent.ask(idle=20)["idle"]
        plan.write_text(f"{line}\n")
        host.agent.store(segment, network, port, gateway, router)
        assert host.agent.process.wait(timeout=30) != 0, line
        host.start_agent()
        assert eventually(lambda n=number: scene.outside.reaches(f"172.24.4.{30 + n}", 1), 20), line
        assert host.agent.ask(idle=20)["idle"]
        host.agent.bury(router, port, gateway, network, segment)
        for document in (router, port, gateway, network, segment):
            host.agent.report(document, state="removed")
        host.agent.stop()
    host.faults = ""
    host.start_agent()


def test_cleanup_takes_routers_and_patches_too(host, scene):
    host.agent.kill()
    clean = (
        "import pathlib; from ovs_agent import cleanup;"
        f"cleanup.clean(pathlib.Path('{host.directory}/state/dhcp'), 'unix:/run/openvswitch/db.sock')"
    )
    host.python(clean)
    assert host.run("ovs-vsctl", "list-br").split() == ["br-ex"]
    assert host.run("ovs-vsctl", "list-ports", "br-ex").split() == ["xworld"]
    assert "q" not in " ".join(host.run("ls", "/run/netns").split())
    assert not host.run("pgrep", "-x", "dnsmasq", check=False)
