"""What passes between guests of one host, and what does not: DHCP, rules, groups, overlapping networks."""

import threading

import cloud
import pytest
from pretended import changed, eventually

from contract.document import Key
from ovs_agent.flows.flow import cookie


@pytest.fixture(scope="module")
def net(host):
    """A dual-stack network of the host."""
    network, segment = cloud.network("n1", 101, "10.1.0.0/24", "fd00:1::/64")
    host.agent.store(segment, network)
    host.agent.report(network)
    return network


def wire(host, *guests):
    """Plugs guests and waits for their marks."""
    for guest in guests:
        guest.plug()
    for guest in guests:
        guest.await_wired()


def test_a_guest_learns_all_by_dhcp(host, net):
    group = cloud.group("dhcp", *cloud.out_all())
    port = cloud.port("leased", net, 11, group)
    host.agent.store(group, port)
    guest = host.guest("g11", port)
    wire(host, guest)
    lease = guest.lease()
    assert lease["ip"] == "10.1.0.11"
    assert lease["dns"] == "9.9.9.9"
    assert lease["mtu"] == "1450"
    assert lease["hostname"] == "leased"
    assert lease["domain"] == "cloud.example"
    assert lease["staticroutes"] == "169.254.169.254/32 10.1.0.2 0.0.0.0/0 10.1.0.1"
    assert host.agent.report(port, is_wired=True)["observed"]["ofport"] > 0


def test_an_address_is_given_to_the_next_port_that_has_it(host, net):
    """The lease of the former one is not over; other ports keep the network on the host."""
    group = cloud.group("again", *cloud.out_all())
    stays = cloud.port("stays", net, 14, group)
    host.agent.store(group, stays)
    wire(host, host.guest("g14", stays))
    former = cloud.port("former", net, 15, group)
    host.agent.store(former)
    guest = host.guest("g15", former)
    wire(host, guest)
    assert guest.lease()["ip"] == "10.1.0.15"
    guest.remove()
    host.agent.bury(former)
    host.agent.report(former, state="removed")
    latter = cloud.port("latter", net, 15, group, mac_address="fa:16:3e:00:00:77")
    host.agent.store(latter)
    guest = host.guest("g15b", latter)
    wire(host, guest)
    assert guest.lease()["ip"] == "10.1.0.15"


def test_names_of_the_network_are_resolved(host, net):
    group = cloud.group("dns", *cloud.out_all())
    port = cloud.port("resolver", net, 12, group)
    host.agent.store(group, port)
    guest = host.guest("g12", port, "10.1.0.12/24")
    wire(host, guest)
    answer = guest.run("busybox", "nslookup", "resolver.cloud.example", "10.1.0.2", check=False)
    assert "10.1.0.12" in answer


def test_dhcpv6_gives_the_ports_address(host, net):
    group = cloud.group("v6", *cloud.out_all())
    port = cloud.port("six", net, 13, group)
    host.agent.store(group, port)
    guest = host.guest("g13", port)
    wire(host, guest)
    answer = guest.python(SOLICIT.format(mac=port.mac_address))
    assert "fd00:1::13" in answer, answer


SOLICIT = """
import logging; logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import *
from scapy.layers.dhcp6 import *
conf.verb = 0
mac = "{mac}"
parts = [int(p, 16) for p in mac.split(":")]; parts[0] ^= 2
ll = "fe80::%02x%02x:%02xff:fe%02x:%02x%02x" % tuple(parts)
duid = DUID_LL(lladdr=mac)
ask = (Ether(src=mac, dst="33:33:00:01:00:02") / IPv6(src=ll, dst="ff02::1:2") / UDP(sport=546, dport=547)
       / DHCP6_Solicit(trid=7) / DHCP6OptClientId(duid=duid) / DHCP6OptIA_NA(iaid=1))
sniffer = AsyncSniffer(iface="eth0", filter="udp dst port 546", count=1)
sniffer.start()
time.sleep(0.3)
sendp(ask, iface="eth0")
sniffer.join(timeout=6)
for packet in sniffer.results or []:
    print(packet.show(dump=True))
"""


def test_nothing_comes_in_without_a_rule_and_ping_with_one(host, net):
    closed = cloud.group("closed", *cloud.out_all())
    opened = cloud.group("opened", cloud.rule(protocol="icmp"), *cloud.out_all())
    a, b = cloud.port("a21", net, 21, closed), cloud.port("b22", net, 22, opened)
    host.agent.store(closed, opened, a, b)
    left, right = host.guest("g21", a, "10.1.0.21/24"), host.guest("g22", b, "10.1.0.22/24")
    wire(host, left, right)
    assert left.reaches("10.1.0.22")
    assert not right.reaches("10.1.0.21")


def test_tcp_rules_by_port_range_both_ways_of_a_connection(host, net):
    group = cloud.group("tcp", cloud.rule(protocol="tcp", port_range_min=8000, port_range_max=8010))
    sender = cloud.group("tcp-out", *cloud.out_all())
    a, b = cloud.port("a23", net, 23, sender), cloud.port("b24", net, 24, group)
    host.agent.store(group, sender, a, b)
    left, right = host.guest("g23", a, "10.1.0.23/24"), host.guest("g24", b, "10.1.0.24/24")
    wire(host, left, right)
    for port in (8005, 8011):
        right.start("python3", "-m", "http.server", str(port), "-d", "/run", stdout=-3, stderr=-3)
    eventually(lambda: left.get("http://10.1.0.24:8005/").endswith("200"), 20)
    eventually(lambda: right.get("http://127.0.0.1:8011/").endswith("200"), 20)
    assert left.get("http://10.1.0.24:8011/").endswith("000")


def test_a_remote_group_admits_its_members_alone(host, net):
    friends = cloud.group("friends", *cloud.out_all())
    guarded = cloud.group("guarded", cloud.rule(remote_group_id=friends.id), *cloud.out_all())
    a, b, c = (
        cloud.port("a31", net, 31, friends),
        cloud.port("b32", net, 32, friends),
        cloud.port("c33", net, 33, guarded),
    )
    friends = changed(friends, members=cloud.group("friends", members=(a,)).members)
    host.agent.store(friends, guarded, a, b, c)
    first, second, third = (host.guest(f"g{n}", p, f"10.1.0.{n}/24") for n, p in ((31, a), (32, b), (33, c)))
    wire(host, first, second, third)
    assert first.reaches("10.1.0.33")
    assert not second.reaches("10.1.0.33")
    friends = changed(friends, members=cloud.group("friends", members=(a, b)).members)
    host.agent.store(friends)
    host.agent.report(friends)
    assert second.reaches("10.1.0.33")


def test_an_address_group_admits_its_addresses_alone(host, net):
    """One address more or less is the group's document alone, and holds for connections that are there."""
    offices = cloud.address_group("offices", "10.1.0.34/32", "fd00:1::34/128")
    guarded = cloud.group(
        "by-address",
        *(cloud.rule(ethertype=e, remote_address_group_id=offices.id) for e in ("IPv4", "IPv6")),
        *cloud.out_all(),
    )
    asks = cloud.group("asks-by-address", *cloud.out_all())
    a, b, c = (cloud.port(f"ag{n}", net, n, group) for n, group in ((34, asks), (35, asks), (36, guarded)))
    host.agent.store(offices, guarded, asks, a, b, c)
    first, second, third = (host.guest(f"g{n}", p, f"10.1.0.{n}/24") for n, p in ((34, a), (35, b), (36, c)))
    wire(host, first, second, third)
    for guest, number in ((first, 34), (third, 36)):
        guest.run("ip", "addr", "add", f"fd00:1::{number}/64", "dev", "eth0")
    assert first.reaches("10.1.0.36") and first.reaches("fd00:1::36", family="-6")
    assert not second.reaches("10.1.0.36")
    before = flows_but_of(host, offices)
    wider = changed(offices, addresses=("10.1.0.35/32",))
    host.agent.store(wider)
    host.agent.report(wider)
    assert second.reaches("10.1.0.36") and not first.reaches("10.1.0.36")
    assert flows_but_of(host, offices) == before, "no other flow changed"
    host.agent.bury(wider)
    host.agent.report(wider, state="removed")
    assert not second.reaches("10.1.0.36")


def flows_but_of(host, group):
    """All flows of br-int but an address group's, without counters."""
    mine = f"cookie={cookie(Key('address_group', group.id)):#x}"
    lines = host.run("ovs-ofctl", "--no-stats", "dump-flows", "br-int").splitlines()
    return sorted(line for line in lines if mine not in line)


def test_an_established_connection_dies_with_its_rule(host, net):
    opened = cloud.group("revoked", cloud.rule(protocol="icmp"), *cloud.out_all())
    a, b = cloud.port("a41", net, 41, opened), cloud.port("b42", net, 42, opened)
    host.agent.store(opened, a, b)
    left, right = host.guest("g41", a, "10.1.0.41/24"), host.guest("g42", b, "10.1.0.42/24")
    wire(host, left, right)
    assert left.reaches("10.1.0.42")
    lines = []
    ping = left.start("ping", "-i", "0.1", "-c", "100", "10.1.0.42", stdout=-1)
    reader = threading.Thread(target=lambda: lines.extend(iter(ping.stdout.readline, "")), daemon=True)
    reader.start()
    eventually(lambda: len(lines) > 5, 10)
    closed = changed(opened, rules=cloud.out_all())
    host.agent.store(closed)
    host.agent.report(closed)
    reader.join(0.5)
    count = len(lines)
    reader.join(1.5)
    assert len(lines) <= count + 1, "answers still came after the rule was gone"
    again = changed(opened, rules=opened.rules)
    host.agent.store(again)
    eventually(lambda: len(lines) > count + 5, 10)
    ping.kill()


def test_stateless_groups_need_rules_both_ways(host, net):
    one_way = cloud.group("one-way", cloud.rule(protocol="icmp"), is_stateful=False)
    asks = cloud.group("asks", *cloud.out_all())
    a, b = cloud.port("a51", net, 51, asks), cloud.port("b52", net, 52, one_way)
    host.agent.store(one_way, asks, a, b)
    left, right = host.guest("g51", a, "10.1.0.51/24"), host.guest("g52", b, "10.1.0.52/24")
    wire(host, left, right)
    assert not left.reaches("10.1.0.52")
    both = changed(one_way, rules=(*one_way.rules, cloud.rule("egress", protocol="icmp")))
    host.agent.store(both)
    host.agent.report(both)
    assert left.reaches("10.1.0.52")


def test_equal_addresses_of_two_networks_never_meet(host):
    allow = cloud.group("allow", cloud.rule(), *cloud.out_all())
    made = {}
    for name, vni in (("red", 201), ("blue", 202)):
        network, segment = cloud.network(name, vni, "10.9.0.0/24")
        a = cloud.port(f"{name}-a", network, 5, allow, mac_address="fa:16:3e:99:00:05")
        b = cloud.port(f"{name}-b", network, 6 if name == "red" else 7, allow)
        told = cloud.instance(f"{name}-a", a)
        host.agent.store(segment, network, allow, a, b, told)
        made[name] = (
            host.guest(f"{name}a", a, "10.9.0.5/24"),
            host.guest(f"{name}b", b, f"10.9.0.{6 if name == 'red' else 7}/24"),
        )
        host.agent.report(network)
    for guests in made.values():
        wire(host, *guests)
    red, blue = made["red"][0], made["blue"][0]
    assert red.reaches("10.9.0.6") and blue.reaches("10.9.0.7")
    assert not red.reaches("10.9.0.7") and not blue.reaches("10.9.0.6")
    for name, guest in (("red", red), ("blue", blue)):
        guest.run("ip", "route", "add", "169.254.169.254", "via", "10.9.0.2")
        body = guest.get(
            "http://169.254.169.254/openstack/latest/meta_data.json",
            "-H",
            "X-Forwarded-For: 10.9.0.6",
            "-H",
            "X-Instance-ID: " + cloud.identity("server-red-a"),
        )
        assert f'"name": "{name}-a"' in body and body.endswith("200"), body
    assert made["red"][1].get("http://10.9.0.2/latest/meta-data/").endswith("000")
    made["red"][1].run("ip", "route", "add", "169.254.169.254", "via", "10.9.0.2")
    assert made["red"][1].get("http://169.254.169.254/latest/meta-data/").endswith("404")


def test_admin_down_and_open_ports(host, net):
    shut = cloud.group("shut")
    a = cloud.port("a61", net, 61, shut)
    b = cloud.port("b62", net, 62, is_port_security=False)
    host.agent.store(shut, a, b)
    left, right = host.guest("g61", a, "10.1.0.61/24"), host.guest("g62", b, "10.1.0.62/24")
    wire(host, left, right)
    assert not left.reaches("10.1.0.62"), "a group without rules lets nothing out"
    opened = changed(a, is_port_security=False)
    host.agent.store(opened)
    host.agent.report(opened)
    assert left.reaches("10.1.0.62")
    down = changed(opened, is_admin_up=False)
    host.agent.store(down)
    host.agent.report(down)
    assert not left.reaches("10.1.0.62")
