"""Router → the text of dnsmasq's files for router advertisements on its links.

DHCPv6 is the business of each network's own namespace; here dnsmasq only says so by the flags. Those of a mode
follow what Neutron's radvd template tells guests.
"""

import ipaddress
from collections.abc import Iterable

from contract.router import AdvertisedPrefix, Router
from ovs_agent.namespaces.dhcp import LEASE_S, Files
from ovs_agent.namespaces.router import link_name

#: As seldom as Neutron's radvd at most; a guest that asks is answered at once.
_INTERVAL_S = 100
#: dnsmasq's words for: an address of one's own (A); that, and options by DHCPv6 (A, O); all by DHCPv6 (M, O).
_MODES = {"slaac": "ra-only", "dhcpv6-stateless": "ra-stateless", "dhcpv6-stateful": "static"}


def compile_files(router: Router, directory: str) -> Files | None:
    """None when nothing is advertised. Raises ValueError for prefixes and addresses that are none."""
    legs = [leg for leg in router.interfaces if leg.advertised]
    if not legs:
        return None
    lines = [
        "port=0",
        "except-interface=lo",
        "bind-dynamic",
        f"pid-file={directory}/pid",
        "leasefile-ro",
        "enable-ra",
        "quiet-ra",
        "quiet-dhcp6",
        "dhcp-ignore=tag:!known",
    ]
    for leg in legs:
        name = link_name(leg)
        lines += [f"interface={name}", f"ra-param={name},mtu:{int(leg.mtu)},{_INTERVAL_S}"]
    told = [prefix for leg in legs for prefix in leg.advertised]
    for number, prefix in enumerate(told):
        lines += _prefix(f"prefix{number}", prefix)
    return Files("".join(f"{line}\n" for line in lines), "", "", "")


def _prefix(tag: str, prefix: AdvertisedPrefix) -> Iterable[str]:
    net = ipaddress.IPv6Network(prefix.cidr, strict=False)
    yield f"dhcp-range=set:{tag},{net.network_address},{_MODES[prefix.mode]},{net.prefixlen},{LEASE_S}s"
    if servers := [f"[{ipaddress.IPv6Address(text)}]" for text in prefix.dns_nameservers]:
        yield f"dhcp-option=tag:{tag},option6:dns-server,{','.join(servers)}"
