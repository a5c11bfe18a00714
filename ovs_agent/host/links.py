"""Links, their addresses and kernel switches: pyroute2, ethtool's ioctl, /proc/sys."""

import array
import contextlib
import errno
import fcntl
import ipaddress
import pathlib
import socket
import struct
from collections.abc import Collection, Iterable

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from ovs_agent.host import netns

_SIOCGIFFLAGS, _SIOCGIFMTU, _SIOCETHTOOL = 0x8913, 0x8921, 0x8946
_ETHTOOL_STXCSUM = 0x17
_NO_DAD = 0x02
_UP = 1


def names() -> list[str]:
    """All links of this namespace."""
    return [name for _, name in socket.if_nameindex()]


def exists(name: str) -> bool:
    """Whether this namespace has the link, however many there are."""
    try:
        return socket.if_nametoindex(name) > 0
    except OSError:
        return False


def quiet(name: str) -> None:
    """Keeps the host's own IP stack off a tap: frames on it also reach that stack when the switch runs in
    userspace, which then answers ARP for the host's addresses and takes part in IPv6."""
    if "/" in name or name in (".", ".."):
        return
    for path in (f"ipv6/conf/{name}/disable_ipv6", f"ipv4/conf/{name}/arp_ignore"):
        with contextlib.suppress(OSError):
            pathlib.Path("/proc/sys/net", path).write_text("1")


def mtu_if_up(name: str) -> int | None:
    """The MTU of a link of this namespace; None when it is not there or not up."""
    request = struct.pack("16s24x", name.encode())
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            flags, mtu = (fcntl.ioctl(sock, asked, request) for asked in (_SIOCGIFFLAGS, _SIOCGIFMTU))
    except OSError:
        return None
    is_up = struct.unpack_from("h", flags, 16)[0] & _UP
    return int(struct.unpack_from("i", mtu, 16)[0]) if is_up else None


def make_pair(outer: str, inner: str, namespace: str) -> None:
    """A veth pair, ``inner`` within the namespace; checksums are complete on both, as the userspace
    switch does not finish partial ones. Safe to repeat."""
    with IPRoute() as ip:
        if not exists(outer):
            ip.link("add", ifname=outer, kind="veth", peer={"ifname": inner})
            full_checksums(outer)
            full_checksums(inner)
        if found := ip.link_lookup(ifname=inner):
            ip.link("set", index=found[0], net_ns_fd=namespace)
        quiet(outer)


def raise_link(name: str, mtu: int) -> None:
    """Sets the MTU and brings the link up."""
    with IPRoute() as ip:
        index = ip.link_lookup(ifname=name)[0]
        ip.link("set", index=index, mtu=mtu, state="up")


def remove(name: str) -> None:
    """Removes a link of this namespace; safe to repeat."""
    with IPRoute() as ip:
        for index in ip.link_lookup(ifname=name):
            try:
                ip.link("del", index=index)
            except NetlinkError as error:
                if error.code != errno.ENODEV:
                    raise


def furnish(namespace: str, name: str, mac: str, mtu: int, told: Iterable[str]) -> None:
    """Gives the one link of a namespace its MAC, MTU and exactly these addresses, and brings it up."""
    wanted = {str(ipaddress.ip_interface(text)) for text in told}

    def work() -> None:
        for switch, value in (("disable_ipv6", "0"), ("accept_ra", "0"), ("addr_gen_mode", "1")):
            with contextlib.suppress(OSError):
                pathlib.Path("/proc/sys/net/ipv6/conf", name, switch).write_text(value)
        with IPRoute() as ip:
            for loopback in ip.link_lookup(ifname="lo"):
                ip.link("set", index=loopback, state="up")
            dress(ip, name, mac, mtu, wanted)

    netns.inside(namespace, work)


def dress(ip: IPRoute, name: str, mac: str, mtu: int, wanted: Collection[str]) -> None:
    """Gives a link its MAC, MTU and exactly these addresses, and brings it up."""
    index = ip.link_lookup(ifname=name)[0]
    _set_mac(ip, index, mac)
    ip.link("set", index=index, mtu=mtu, state="up")
    found = addresses(ip, index)
    for text in sorted(found - set(wanted)):
        _address(ip, "del", index, text)
    for text in sorted(set(wanted) - found):
        _address(ip, "add", index, text)


def full_checksums(name: str) -> None:
    """Turns transmit checksum offload off (``ethtool -K name tx off``)."""
    value = array.array("B", struct.pack("II", _ETHTOOL_STXCSUM, 0))
    request = struct.pack("16sP", name.encode(), value.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, _SIOCETHTOOL, request)


def _set_mac(ip: IPRoute, index: int, mac: str) -> None:
    link = ip.get_links(index)[0]
    if link.get_attr("IFLA_ADDRESS") != mac:
        ip.link("set", index=index, state="down")
        ip.link("set", index=index, address=mac)


def addresses(ip: IPRoute, index: int) -> set[str]:
    """The addresses of a link, with prefix length."""
    found = ip.get_addr(index=index)
    return {str(ipaddress.ip_interface((a.get_attr("IFA_ADDRESS"), a["prefixlen"]))) for a in found}


def _address(ip: IPRoute, verb: str, index: int, text: str) -> None:
    interface = ipaddress.ip_interface(text)
    arguments = {"index": index, "address": str(interface.ip), "prefixlen": interface.network.prefixlen}
    if interface.version == 6 and verb == "add":
        arguments["flags"] = _NO_DAD
    ip.addr(verb, **arguments)
