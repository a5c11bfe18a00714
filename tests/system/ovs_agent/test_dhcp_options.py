"""DHCP options of single ports as guests are told them; hostile ones do nothing to others (SECURITY row 22)."""

import cloud
import pytest
from pretended import changed

from contract.port import DhcpOption


@pytest.fixture(scope="module")
def guests(host):
    """A guest with options of its own, and its neighbour without."""
    net, segment = cloud.network("options", 121, "10.2.0.0/24", "fd00:2::/64")
    group = cloud.group("options", *cloud.out_all())
    told = [
        DhcpOption(opt_name="bootfile-name", opt_value="pxelinux.0"),
        DhcpOption(opt_name="42", opt_value="10.2.0.5,10.2.0.6"),
        DhcpOption(opt_name="router", opt_value=""),
        DhcpOption(opt_name="mtu", opt_value="1300"),
        DhcpOption(opt_name="bootfile-url", opt_value="http://boot.example/six", ip_version=6),
    ]
    special = cloud.port("special", net, 11, group, extra_dhcp_opts=tuple(told))
    plain = cloud.port("plain", net, 12, group)
    host.agent.store(segment, net, group, special, plain)
    made = host.guest("o11", special), host.guest("o12", plain)
    for guest in made:
        guest.plug()
    for guest in made:
        guest.await_wired()
    return made


def test_a_port_is_told_its_options_and_others_are_not(guests):
    special, plain = (guest.lease(42, 67) for guest in guests)
    assert (special["ip"], special["bootfile"]) == ("10.2.0.11", "pxelinux.0")
    assert special["ntpsrv"] == "10.2.0.5 10.2.0.6" and special["mtu"] == "1300" and "router" not in special
    assert special["dns"] == "9.9.9.9", "what is not named is the subnet's"
    assert plain["ip"] == "10.2.0.12" and plain["mtu"] == "1450"
    assert not {"bootfile", "ntpsrv"} & set(plain)
    answers = [guest.python(SOLICIT.format(mac=guest.port.mac_address)) for guest in guests]
    assert "http://boot.example/six" in answers[0] and "boot.example" not in answers[1], answers
    assert "fd00:2::12" in answers[1]


def test_row_22_hostile_options_are_their_ports_alone(host, guests):
    """Each value alone could turn a line into another one, if it got out of its place."""
    special, plain = guests
    values = [
        "x\n6,6.6.6.6",
        "x\rdhcp-option=6,6.6.6.6",
        '"open',
        'a" #b',
        "\\",
        '"a\\n6,6.6.6.6"',
        "tag:subnet,6,6.6.6.6",
        "option:dns-server,6.6.6.6",
        "," * 200,
        *("x" * length + "254,evil" for length in range(930, 1000)),  # dnsmasq reads 1024 bytes at a time
        "\U0001f600" * 255,
        "x" * 5000,
        "%s%n",
        "6.6.6.6,::1",
    ]
    names = [
        "bootfile-name",
        "dns-server",
        "67",
        "6",
        "254",
        "nonsense",
        "tag:x,6",
        "6,6.6.6.6\n6",
        "option:6",
    ]
    for name in names:
        options = tuple(DhcpOption(opt_name=name, opt_value=value) for value in values)
        hostile = changed(special.port, extra_dhcp_opts=options)
        host.agent.store(hostile)
        host.agent.report(hostile)
        lease = plain.lease(67, 254)
        assert (lease["ip"], lease["dns"], lease["mtu"]) == ("10.2.0.12", "9.9.9.9", "1450"), name
        assert not {"bootfile", "opt254"} & set(lease), name


SOLICIT = """
import logging; logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import *
from scapy.layers.dhcp6 import *
conf.verb = 0
mac = "{mac}"
parts = [int(p, 16) for p in mac.split(":")]; parts[0] ^= 2
ll = "fe80::%02x%02x:%02xff:fe%02x:%02x%02x" % tuple(parts)
ask = (Ether(src=mac, dst="33:33:00:01:00:02") / IPv6(src=ll, dst="ff02::1:2") / UDP(sport=546, dport=547)
       / DHCP6_Solicit(trid=7) / DHCP6OptClientId(duid=DUID_LL(lladdr=mac)) / DHCP6OptIA_NA(iaid=1)
       / DHCP6OptOptReq(reqopts=[23, 59]))
sniffer = AsyncSniffer(iface="eth0", filter="udp dst port 546", count=1)
sniffer.start()
time.sleep(0.3)
sendp(ask, iface="eth0")
sniffer.join(timeout=6)
for packet in sniffer.results or []:
    print(packet.show(dump=True))
"""
