"""Flat and VLAN networks: joined to the operator's bridge when it is there, apart from each other on it."""

import cloud
import pytest
from outside import Outside, make_bridge
from pretended import changed, eventually
from test_restarts import start_vswitchd, vswitchd


@pytest.fixture(scope="module")
def networks(host):
    """Two VLANs and the untagged network of one physical network, each with a guest; br-ex is not there yet."""
    group = cloud.group("open", cloud.rule(), *cloud.out_all())
    host.agent.store(group)
    made = {}
    for number, (name, vlan) in enumerate((("red", 100), ("blue", 200), ("plain", None)), 1):
        network, segment = cloud.provider(name, "172.30.0.0/24", vlan)
        port = cloud.port(name, network, 10 + number, group)
        host.agent.store(segment, network, port)
        guest = host.guest(name, port, f"172.30.0.{10 + number}/24").plug()
        guest.await_wired()
        made[name] = (segment, guest)
    return made


@pytest.fixture(scope="module")
def places(host, networks):
    """Somebody outside for each, made with the bridge."""
    make_bridge(host)
    return {
        "red": Outside(host, "r", "172.30.0.1/24", 100),
        "blue": Outside(host, "b", "172.30.0.2/24", 200),
        "plain": Outside(host, "p", "172.30.0.3/24"),
    }


ADDRESSES = {"red": "172.30.0.1", "blue": "172.30.0.2", "plain": "172.30.0.3"}


def apart(networks):
    """Each guest reaches the outside of its own network, and nobody else."""
    return all(
        guest.reaches(address) is (name == where)
        for name, (_, guest) in networks.items()
        for where, address in ADDRESSES.items()
    )


def test_a_bridge_that_is_not_there_is_told(host, networks):
    for segment, _ in networks.values():
        assert "bridge br-ex is not there" in host.agent.report(segment, state="failed")["fault"]


def test_it_is_joined_when_it_comes_and_networks_stay_apart(host, networks, places):
    for segment, _ in networks.values():
        host.agent.report(segment)
    assert apart(networks)
    guests = [guest for _, guest in networks.values()]
    assert not guests[0].reaches("172.30.0.12") and not guests[2].reaches("172.30.0.11")


def test_a_physical_network_that_this_host_lacks_is_told(host):
    _, segment = cloud.provider("far", "172.31.0.0/24", 7)
    segment = changed(segment, physical_network="elsewhere")
    host.agent.store(segment)
    assert "bridge_mappings" in host.agent.report(segment, state="failed")["fault"]


def test_frames_with_other_tags_reach_nobody(host, networks, places):
    """Of a VLAN that no network has, and of a guest that tags its frames itself."""
    stranger = Outside(host, "s", "172.30.0.4/24", 300)
    assert not any(stranger.reaches(f"172.30.0.{number}") for number in (11, 12, 13))
    _, guest = networks["plain"]
    guest.python(TAGGED.format(mac=guest.port.mac_address))
    known = places["red"].run("ip", "neigh")
    assert "172.30.0.11" in known, "one that asked in the right way"
    assert "172.30.0.13" not in known


TAGGED = """
from scapy.all import *
ask = ARP(op=1, hwsrc="{mac}", psrc="172.30.0.13", pdst="172.30.0.1")
sendp(Ether(src="{mac}", dst="ff:ff:ff:ff:ff:ff") / Dot1Q(vlan=100) / ask, iface="eth0", count=3, verbose=0)
"""


def test_a_bridge_that_was_made_anew_is_joined_anew(host, networks, places):
    host.run("ovs-vsctl", "del-br", "br-ex")
    segment, guest = networks["red"]
    host.agent.report(segment, state="failed")
    assert not guest.reaches("172.30.0.1")
    make_bridge(host)
    for place, tag in (("r", ["tag=100"]), ("b", ["tag=200"]), ("p", [])):
        host.run("ovs-vsctl", "add-port", "br-ex", f"x{place}", *tag)
    host.agent.report(segment)
    assert eventually(lambda: apart(networks), 20)


def test_a_restarted_switch_is_joined_again(host, networks, places):
    host.run("kill", "-9", vswitchd(host))
    eventually(lambda: not networks["red"][1].mark(), 10, host.agent.log)
    start_vswitchd(host)
    networks["red"][1].await_wired()
    assert eventually(lambda: apart(networks), 30, host.agent.log)
