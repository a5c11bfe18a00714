"""Trunks on the real switch: tagged frames of one tap are those of other ports, and of no others."""

import cloud
import pytest
from listen import heard
from pretended import changed, eventually

from contract.qos import Limit

#: Tags and networks of both trunks: the same tag leads to another network on each.
NETS = {"plain": ("10.21.0.0/24", 2101), "red": ("10.22.0.0/24", 2102), "blue": ("10.23.0.0/24", 2103)}


class World:
    """Three networks with a plain guest each, and two trunks: 100 is red on the first and blue on the second."""

    def __init__(self, host):
        self.host = host
        self.group = cloud.group("trunks", cloud.rule(), *cloud.out_all())
        self.nets = {}
        host.agent.store(self.group)
        for name, (cidr, vni) in NETS.items():
            network, segment = cloud.network(name, vni, cidr)
            host.agent.store(segment, network)
            self.nets[name] = network
        self.guests = {name: self.guest(name[:3], name, 50) for name in NETS}
        for guest in self.guests.values():
            guest.plug().await_wired()
        self.first, self.children = self.trunk("one", 11, {100: "red", 200: "blue"})
        self.second, self.others = self.trunk("two", 12, {100: "blue"})

    def guest(self, name, net, number):
        """A guest on a network."""
        port = cloud.port(name, self.nets[net], number, self.group)
        self.host.agent.store(port)
        return self.host.guest(name, port, self.address(net, number) + "/24")

    def trunk(self, name, number, tags):
        """A guest with a link for each tag, and its subports by tag, wired."""
        guest = self.guest(name, "plain", number)
        behind_switch(guest)
        guest.plug().await_wired()
        children = {tag: self.child(guest, name, net, number, tag) for tag, net in tags.items()}
        self.host.agent.store(*children.values())
        for tag, child in children.items():
            self.host.agent.report(child, is_wired=True)
            link(guest, tag, child.mac_address, self.address(tags[tag], number))
        return guest, children

    def child(self, guest, name, net, number, tag):
        """A subport; with a MAC of its own on odd hundreds, else with that of its parent."""
        mac = f"fa:16:3e:21:{number:02x}:{tag // 100:02x}" if tag % 200 else guest.port.mac_address
        fields = {"mac_address": mac, "parent_port_id": guest.port.id, "segmentation_id": tag}
        return cloud.port(f"{name}-{tag}", self.nets[net], number, self.group, **fields)

    @staticmethod
    def address(net, number):
        """An address of a network."""
        return f"{NETS[net][0].rsplit('.', 1)[0]}.{number}"


def behind_switch(guest):
    """Puts a switch between the guest's eth0 and its tap: the kernel here may know no VLAN links."""
    host, switch, old = guest.host, f"sw{guest.name}", guest.tap
    guest.tap = f"tp{guest.name}"
    pair(host, guest.tap, f"tq{guest.name}")
    host.run("ovs-vsctl", "add-br", switch, "--", "set", "bridge", switch, "datapath_type=netdev")
    for name in (old, f"tq{guest.name}"):
        host.run("ip", "link", "set", name, "up")
        host.run("ovs-vsctl", "add-port", switch, name)
    host.run("ip", "link", "set", guest.tap, "up")


def pair(host, *ends):
    """A veth pair whose checksums are whole."""
    host.run("ip", "link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
    for end in ends:
        host.run("ethtool", "-K", end, "tx", "off")


def link(guest, tag, mac, address):
    """What a VLAN link in the guest would be: ``v100`` sends and gets frames with the tag 100."""
    host, name, outer = guest.host, f"v{tag}", f"v{tag}{guest.name}"
    pair(host, outer, f"i{outer}")
    host.run("ip", "link", "set", f"i{outer}", "netns", guest.name)
    guest.run("ip", "link", "set", f"i{outer}", "name", name)
    guest.run("ip", "link", "set", name, "address", mac)
    guest.run("ip", "addr", "add", f"{address}/24", "dev", name)
    for run, which in ((guest.run, name), (host.run, outer)):
        run("ip", "link", "set", which, "up")
    host.run("ovs-vsctl", "add-port", f"sw{guest.name}", outer, f"tag={tag}")


@pytest.fixture(scope="module")
def world(host):
    return World(host)


def test_a_guest_talks_on_all_networks_of_its_trunk(world):
    for net in NETS:
        assert world.first.reaches(world.address(net, 50)), net
        assert world.guests[net].reaches(world.address(net, 11)), net
    assert world.second.reaches(world.address("blue", 50))


def test_trunks_never_meet(world):
    """The same tag is another network; two guests with trunks talk where both are, and only there."""
    assert not world.second.reaches(world.address("red", 50))
    assert world.first.reaches(world.address("blue", 12)), "blue is tag 200 here and tag 100 there"
    world.second.run("ip", "addr", "add", "10.22.0.12/24", "dev", "v100")
    assert not world.second.reaches(world.address("red", 11))
    world.second.run("ip", "addr", "del", "10.22.0.12/24", "dev", "v100")


FORGED = """
import logging; logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import *
conf.verb = 0
def send(name, mac, tags, source):
    frame = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff")
    for tag in tags:
        frame /= Dot1Q(vlan=tag)
    sendp(frame / IP(src=source, dst="255.255.255.255") / UDP(sport=1, dport=9) / Raw(("forged " + name).encode()),
          iface="eth0")
parent, red = "{parent}", "{red}"
send("tag of nobody", red, [300], "10.22.0.11")
send("tag of another", red, [200], "10.23.0.11")
send("address of the parent", red, [100], "10.21.0.11")
send("address of another", red, [100], "10.22.0.50")
send("mac of the parent", parent, [100], "10.22.0.11")
send("two tags", red, [100, 100], "10.22.0.11")
send("untagged", red, [], "10.22.0.11")
sendp(Ether(src=red, dst="ff:ff:ff:ff:ff:ff") / Dot1Q(vlan=100) / IP(src="10.22.0.11", dst="255.255.255.255")
      / UDP(sport=1, dport=9) / Raw(b"honest"), iface="eth0")
"""


def test_nothing_forged_gets_anywhere(world):
    text = FORGED.format(parent=world.first.port.mac_address, red=world.children[100].mac_address)
    for net in NETS:
        frames = heard(world.guests[net], lambda: world.first.python(text))
        assert not [frame for frame in frames if b"forged" in frame], net
        assert any(b"honest" in frame for frame in frames) == (net == "red")


def test_no_port_gets_a_tag_that_its_sender_chose(world):
    """An open subport sends a second tag: on the other trunk that would be another network."""
    host, child = world.host, world.children[200]
    opened = changed(child, is_port_security=False, security_group_ids=())
    other = changed(world.others[100], is_port_security=False, security_group_ids=())
    host.agent.store(opened, other)
    host.agent.report(opened)
    host.agent.report(other)
    text = (
        "from scapy.all import *\n"
        "for tags in ([200], [200, 100]):\n"
        "    frame = Ether(src='{}', dst='ff:ff:ff:ff:ff:ff')\n"
        "    for tag in tags: frame /= Dot1Q(vlan=tag)\n"
        "    name = b'one tag' if len(tags) == 1 else b'two tags'\n"
        "    sendp(frame / IP(src='10.23.0.11', dst='255.255.255.255') / UDP(dport=9) / Raw(name), iface='eth0',"
        " verbose=0)\n"
    )
    frames = heard(world.second, lambda: world.first.python(text.format(child.mac_address)))
    assert any(b"one tag" in frame for frame in frames)
    assert not any(b"two tags" in frame for frame in frames)
    host.agent.store(child, world.others[100])
    host.agent.report(child)


def test_a_subport_has_its_own_groups_addresses_and_limits(world):
    host, child = world.host, world.children[100]
    closed = cloud.group("trunk-closed", *cloud.out_all())
    host.agent.store(closed)
    shut = changed(child, security_group_ids=(closed.id,))
    host.agent.store(shut)
    host.agent.report(shut)
    assert not world.guests["red"].reaches("10.22.0.11") and world.guests["plain"].reaches("10.21.0.11")
    assert world.first.reaches("10.22.0.50"), "answers come in"
    limited = changed(child, limits=(Limit(direction="ingress", unit="pktps", rate=10, burst=1),))
    host.agent.store(limited)
    host.agent.report(limited)
    out = world.guests["red"].run("ping", "-c", "200", "-i", "0.005", "10.22.0.11", check=False)
    assert 0 < int(out.split(" received")[0].rsplit(" ", 1)[1]) < 100
    host.agent.store(child)
    host.agent.report(child)
    assert world.guests["red"].reaches("10.22.0.11")


def test_dhcp_tells_a_subport_its_address(world):
    guest = world.first
    guest.run("ip", "addr", "flush", "dev", "v100")
    script = world.host.directory / "vlan-udhcpc.sh"
    script.write_text('#!/bin/sh\n[ "$1" = bound ] && echo "$ip $mtu"\nexit 0\n')
    script.chmod(0o755)
    asked = ["-i", "v100", "-f", "-q", "-n", "-t", "4", "-T", "1", "-O", "26", "-s", str(script)]
    assert guest.run("busybox", "udhcpc", *asked, check=False).split() == ["10.22.0.11", "1450"]
    guest.run("ip", "addr", "add", "10.22.0.11/24", "dev", "v100")


def test_subports_come_and_go_with_the_tap_and_outlive_the_agent(world):
    host, guest = world.host, world.first
    host.agent.kill()
    assert guest.reaches("10.22.0.50")
    host.start_agent()
    assert host.agent.ask(idle=30)["idle"] and guest.reaches("10.22.0.50")
    guest.unplug()
    host.agent.report(world.children[100], is_wired=False)
    guest.plug().await_wired()
    host.agent.report(world.children[100], is_wired=True)
    assert guest.reaches("10.22.0.50") and guest.reaches("10.21.0.50")
    host.agent.bury(world.children[100])
    host.agent.report(world.children[100], state="removed")
    assert not guest.reaches("10.22.0.50") and guest.reaches("10.23.0.50")
    eventually(lambda: "dl_vlan=100" not in flows(host, guest), 10)


def flows(host, guest):
    """Flows of what the guest sends."""
    place = host.run("ovs-vsctl", "get", "interface", guest.tap, "ofport").strip()
    return host.run("ovs-ofctl", "-O", "OpenFlow14", "--no-names", "dump-flows", "br-int", f"in_port={place}")
