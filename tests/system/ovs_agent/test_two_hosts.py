"""Two hosts joined by VXLAN: unicast, ARP answered on the spot, multicast, networks apart, DHCP at home."""

import cloud
import pytest
from pretended import changed, eventually

from contract.segment import RemotePort, TunnelEndpoint


def behind(host, port):
    """A port as other hosts see it."""
    addresses = tuple(fixed.ip_address for fixed in port.fixed_ips)
    remote = RemotePort(mac_address=port.mac_address, ip_addresses=addresses, hostname=port.hostname)
    return TunnelEndpoint(address=host.tunnel_ip, ports=(remote,))


@pytest.fixture(scope="module")
def spread(two_hosts):
    """A guest of one network on each host, and a third of another network with an equal address."""
    network, segment = cloud.network("wide", 901, "10.8.0.0/24", "fd00:8::/64")
    other, other_segment = cloud.network("narrow", 902, "10.8.0.0/24")
    group = cloud.group("wide", cloud.rule(), cloud.rule(ethertype="IPv6"), *cloud.out_all())
    a, b = cloud.port("a", network, 11, group), cloud.port("b", network, 12, group)
    c = cloud.port("c", other, 13, group)
    first, second = two_hosts
    first.agent.store(group, network, changed(segment, endpoints=(behind(second, b),)), a)
    first.agent.store(other, changed(other_segment, endpoints=(behind(second, c),)))
    second.agent.store(group, network, changed(segment, endpoints=(behind(first, a),)), b)
    second.agent.store(other, other_segment, c)
    guests = []
    for host, port, number in ((first, a, 11), (second, b, 12), (second, c, 13)):
        guest = host.guest(port.hostname, port, f"10.8.0.{number}/24").plug()
        guest.await_wired()
        guest.run("ip", "addr", "add", f"fd00:8::{number}/64", "dev", "eth0", "nodad")
        guests.append(guest)
    return guests


def test_guests_of_one_network_meet(spread):
    a, b, _ = spread
    assert a.reaches("10.8.0.12") and b.reaches("10.8.0.11")
    assert a.reaches("fd00:8::12", family="-6"), "neighbour discovery crosses as multicast"


def test_arp_for_remote_ports_does_not_cross(spread):
    a, b, _ = spread
    b.run("ip", "link", "set", "eth0", "down")
    a.run("ip", "neigh", "flush", "dev", "eth0")
    a.run("ping", "-c", "1", "-W", "1", "10.8.0.12", check=False)
    assert b.port.mac_address in a.run("ip", "neigh", "show", "10.8.0.12")
    b.run("ip", "link", "set", "eth0", "up")


def test_networks_stay_apart(spread):
    a, _, c = spread
    assert not a.reaches("10.8.0.13") and not c.reaches("10.8.0.11")


def test_names_of_the_other_hosts_ports_are_resolved(spread):
    """They come and go with the word about those ports, without a new start of dnsmasq."""
    a, b, _ = spread
    _, segment = cloud.network("wide", 901, "10.8.0.0/24", "fd00:8::/64")

    def found(guest, name):
        return guest.run("busybox", "nslookup", name, "10.8.0.2", check=False)

    assert "10.8.0.12" in found(a, "b.cloud.example") and "10.8.0.11" in found(b, "a.cloud.example")
    assert "fd00:8::12" in found(a, "b.cloud.example")
    assert "b.cloud.example" in found(a, "10.8.0.12")
    before = a.host.run("pgrep", "-x", "dnsmasq")
    renamed = changed(b.port, hostname="renamed")
    a.host.agent.store(changed(segment, endpoints=(behind(b.host, renamed),)))
    eventually(lambda: "10.8.0.12" in found(a, "renamed.cloud.example"), 10)
    assert "10.8.0.12" not in found(a, "b.cloud.example")
    assert a.host.run("pgrep", "-x", "dnsmasq") == before


def test_tcp_crosses(spread):
    a, b, _ = spread
    b.start("python3", "-m", "http.server", "8000", "-d", "/proc/self", stdout=-3, stderr=-3)
    eventually(lambda: a.get("http://10.8.0.12:8000/status").endswith("200"), 20)


def traced(guest, tunnel_source="", **packet):
    """What the host's switch makes of a packet: its exits, and the tables that it met."""
    request = {"port_id": guest.port.id, "network_id": guest.port.network_id, "tunnel_source": tunnel_source}
    answer = guest.host.agent.ask(trace=request | packet)["trace"]
    return answer["exits"], [(f["bridge"], f["table"], f["owner"]) for f in answer["flows"]]


def test_a_packet_is_traced_through_both_ends_of_a_tunnel(spread):
    a, b, _ = spread
    packet = {
        "source_mac": a.port.mac_address,
        "destination_mac": b.port.mac_address,
        "source": "10.8.0.11",
        "destination": "10.8.0.12",
    }
    exits, met = traced(a, **packet)
    assert exits == [{"link": "vxlan", "port_id": "", "remote": b.host.tunnel_ip}]
    segment = {"kind": "segment", "id": a.port.network_id}
    assert ("br-int", "EGRESS_RULES", {"kind": "security_group", "id": a.port.security_group_ids[0]}) in met
    assert met[-1] == ("br-tun", "OUT", segment)
    exits, met = traced(b, tunnel_source=a.host.tunnel_ip, **packet)
    assert exits == [{"link": b.tap, "port_id": b.port.id, "remote": ""}]
    assert met[1] == ("br-tun", "IN", segment)
    exits, met = traced(a, **packet | {"source": "10.8.0.99"})
    assert not exits and met[-1] == ("br-int", "SOURCE", None)
    exits, met = traced(b, tunnel_source="10.66.7.99", **packet)
    assert not exits and met[-1] == ("br-tun", "IN", None), "a stranger's tunnel"
    exits, _ = traced(a, **packet | {"source": "fd00:8::11", "destination": "fd00:8::12", "protocol": "icmp"})
    assert exits == [{"link": "vxlan", "port_id": "", "remote": b.host.tunnel_ip}]


def test_dhcp_is_answered_on_each_host_and_never_from_the_other(spread):
    for guest, address in zip(spread[:2], ("10.8.0.11", "10.8.0.12"), strict=True):
        assert guest.lease()["ip"] == address
    a, _, _ = spread
    a.host.run("ip", "netns", "exec", f"qdhcp-{a.port.network_id}", "true")
    a.host.agent.kill()
    pid = a.host.run("pgrep", "-x", "dnsmasq").split()
    for number in pid:
        a.host.run("kill", "-9", number)
    assert "ip" not in a.lease(), "the other host's DHCP must not answer here"
    a.host.start_agent()
    assert a.lease()["ip"] == "10.8.0.11", "a restarted agent brings dnsmasq back"
