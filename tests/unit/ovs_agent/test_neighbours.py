"""Frames that tell where an address is, as scapy reads them."""

from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether

from ovs_agent.host import neighbours


def test_advertisements_are_what_others_read() -> None:
    (frame,) = neighbours.frames("fa:16:3e:00:00:01", "fd00::1")
    read = Ether(frame)
    told = read[ICMPv6ND_NA]
    assert (read.dst, read.src, read[IPv6].hlim) == ("33:33:00:00:00:01", "fa:16:3e:00:00:01", 255)
    assert (told.R, told.S, told.O, told.tgt) == (1, 0, 1, "fd00::1")
    assert told[ICMPv6NDOptDstLLAddr].lladdr == "fa:16:3e:00:00:01"
    checksum = told.cksum
    del told.cksum
    assert Ether(bytes(read))[ICMPv6ND_NA].cksum == checksum
    request, answer = neighbours.frames("fa:16:3e:00:00:01", "10.0.0.1")
    assert [Ether(frame)[ARP].op for frame in (request, answer)] == [1, 2]
