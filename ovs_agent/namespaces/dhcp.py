"""Network and its local ports → the text of dnsmasq's files.

Whatever comes from a user is parsed as an address or matched against a strict pattern before it is
written, so no newline or comma can add a directive (SECURITY row 22). Ranges, options and modes follow
what Neutron's dnsmasq driver tells guests.
"""

import ipaddress
import re
from collections.abc import Iterable

import msgspec

from contract import dns
from contract.network import Network, Subnet
from contract.port import DhcpOption, Port
from contract.segment import RemotePort
from ovs_agent.flows import addresses
from ovs_agent.namespaces import metadata

#: Guests renew at half of it: long enough to be no load, short enough to learn of changed options.
LEASE_S = 86400

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_OPTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: DHCP has no longer values; and dnsmasq takes what is beyond 1024 bytes of a line for the next line.
_OPTION_VALUE = re.compile(rb"[^\x00-\x1f\x7f]{0,255}")
_DHCPV6_MODES = ("dhcpv6-stateful", "dhcpv6-stateless")


class Files(msgspec.Struct, frozen=True):
    """``config`` is read at start only; ``hosts``, ``options`` and ``names`` again at SIGHUP."""

    config: str
    hosts: str
    options: str
    names: str


def served(network: Network) -> tuple[Subnet, ...]:
    """The subnets whose addresses dnsmasq hands out."""
    return tuple(subnet for subnet in network.subnets if subnet.is_dhcp and _is_served(subnet))


def compile_files(
    network: Network,
    ports: Iterable[Port],
    directory: str,
    resolvers: tuple[str, ...] = (),
    elsewhere: Iterable[RemotePort] = (),
) -> Files:
    """All files of one network; ``resolvers`` answer names that are not of this network, ``elsewhere`` are its ports on
    other hosts, of which names are known here."""
    hosts: list[str] = []
    names: list[str] = []
    domain = _domain(network.dns_domain)
    subnets = {subnet.id: subnet for subnet in served(network)}
    options = [line for subnet in subnets.values() for line in _options(network, subnet)]
    for port in sorted(ports, key=lambda port: port.id):
        hosts += _hosts(port, subnets, domain)
        names += _names(port, [fixed.ip_address for fixed in port.fixed_ips], domain)
        options += _port_options(port)
    for remote in elsewhere:
        names += _names(remote, remote.ip_addresses, domain)
    config = _config(network, directory, resolvers)
    return Files(_text(config), _text(hosts), _text(options), _text(names))


def _config(network: Network, directory: str, resolvers: tuple[str, ...]) -> list[str]:
    inside = metadata.interior(network)
    lines = [
        f"interface={inside.inner}" if inside else "",
        "except-interface=lo",
        "bind-dynamic",
        f"pid-file={directory}/pid",
        f"dhcp-hostsfile={directory}/hosts",
        f"dhcp-optsfile={directory}/options",
        f"addn-hosts={directory}/names",
        "leasefile-ro",
        "dhcp-authoritative",
        "dhcp-ignore=tag:!known",
        "dhcp-lease-max=16777216",
        "no-ping",
        "no-hosts",
        "no-resolv",
        "domain-needed",
        "quiet-dhcp",
        "quiet-dhcp6",
        f"dhcp-option-force=option:mtu,{int(network.mtu)}",
    ]
    if domain := _domain(network.dns_domain):
        lines += [f"domain={domain}", f"local=/{domain}/"]
    lines += [f"server={ipaddress.ip_address(resolver)}" for resolver in resolvers]
    return [line for line in [*lines, *map(_range, served(network))] if line]


def _range(subnet: Subnet) -> str:
    net = ipaddress.ip_network(subnet.cidr, strict=False)
    extent = str(net.netmask) if net.version == 4 else str(max(net.prefixlen, 64))
    return f"dhcp-range=set:{_tag(subnet)},{net.network_address},static,{extent},{LEASE_S}s"


def _options(network: Network, subnet: Subnet) -> Iterable[str]:
    here = _service_address(network, subnet)
    resolvers = [str(ipaddress.ip_address(text)) for text in subnet.dns_nameservers] or [here] * bool(here)
    if subnet.ip_version == 6:
        if domain := _domain(network.dns_domain):
            yield f"tag:{_tag(subnet)},option6:domain-search,{domain}"
        if resolvers:
            yield f"tag:{_tag(subnet)},option6:dns-server,{','.join(f'[{text}]' for text in resolvers)}"
        return
    if resolvers:
        yield f"tag:{_tag(subnet)},option:dns-server,{','.join(resolvers)}"
    routes = list(_routes(network, subnet, here))
    if routes:
        yield f"tag:{_tag(subnet)},option:classless-static-route,{','.join(routes)}"
        yield f"tag:{_tag(subnet)},249,{','.join(routes)}"
    gateway = str(ipaddress.ip_address(subnet.gateway_ip)) if subnet.gateway_ip else ""
    yield f"tag:{_tag(subnet)},option:router{',' + gateway if gateway else ''}"


def _routes(network: Network, subnet: Subnet, here: str) -> Iterable[str]:
    """A client that is told routes ignores the router option: the default route is among them."""
    if here:
        yield f"{metadata.IPV4}/32,{here}"
    for destination, next_hop in subnet.host_routes:
        yield f"{ipaddress.ip_network(destination, strict=False)},{ipaddress.ip_address(next_hop)}"
    for other in network.subnets:
        if other.ip_version == 4 and other.id != subnet.id:
            yield f"{ipaddress.ip_network(other.cidr, strict=False)},0.0.0.0"
    if subnet.gateway_ip:
        yield f"0.0.0.0/0,{ipaddress.ip_address(subnet.gateway_ip)}"


def _hosts(port: Port, subnets: dict[str, Subnet], domain: str) -> Iterable[str]:
    """A dhcp-host line for each served address; bad ones are passed over. Where guests make their addresses themselves
    they are only known, and told options."""
    for fixed in port.fixed_ips:
        if fixed.subnet_id not in subnets:
            continue
        try:
            mac, address = addresses.mac(port.mac_address), ipaddress.ip_address(fixed.ip_address)
        except ValueError:
            continue
        host = _called(port, address, domain)[0].partition(".")[0]
        known = f"{mac},{'tag:dhcpv6,' if address.version == 6 else ''}set:{_port_tag(port)}"
        told = f"[{address}]" if address.version == 6 else str(address)
        is_own = subnets[fixed.subnet_id].ipv6_address_mode == "dhcpv6-stateless"
        yield known if is_own else f"{known},{host},{told}"


def _names(port: Port | RemotePort, texts: Iterable[str], domain: str) -> Iterable[str]:
    """A line for each address with all its names, the whole one first: that is what the address is called."""
    for text in texts:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        host, whole = _called(port, address, domain)
        generic, by_address = dns.assigned("", _own_domain(port, domain), str(address))
        known = [whole, host if "." not in host else "", by_address, generic]
        yield f"{address} {' '.join(dict.fromkeys(name.rstrip('.-') for name in known if name))}"


def _called(port: Port | RemotePort, address: addresses.Ip, domain: str) -> tuple[str, str]:
    """Host name and whole name of an address; a name that is none is passed over."""
    own = _own_domain(port, domain)
    name = port.hostname if _domain(port.hostname) else ""
    host, whole = dns.assigned(name, own, str(address))
    return host.removesuffix(f".{own}") if host.endswith(".") else host.rstrip("-"), whole


def _port_options(port: Port) -> Iterable[str]:
    """Those of its own domain first. They beat what the subnet says, as dnsmasq prefers tags of a host.

    A value stands as it is, for lists and quotes are the user's: after the option's name all of the line is its
    value, and dnsmasq passes over a line that it cannot read.
    """
    if own := _domain(port.dns_domain):
        yield f"tag:{_port_tag(port)},option:domain-name,{own}"
        yield f"tag:{_port_tag(port)},option6:domain-search,{own}"
    for option in port.extra_dhcp_opts:
        name = _option_name(option)
        if name and _OPTION_VALUE.fullmatch(option.opt_value.encode()):
            value = f",{option.opt_value}" if option.opt_value.strip() else ""
            yield f"tag:{_port_tag(port)},{name}{value}"


def _option_name(option: DhcpOption) -> str:
    if not _OPTION_NAME.fullmatch(option.opt_name):
        return ""
    if option.ip_version == 6:
        return f"option6:{option.opt_name}"
    return option.opt_name if option.opt_name.isdigit() else f"option:{option.opt_name}"


def _own_domain(port: Port | RemotePort, domain: str) -> str:
    """The domain of the port's names, with its dot; empty for none."""
    found = _domain(port.dns_domain) or domain
    return f"{found}." if found else ""


def _service_address(network: Network, subnet: Subnet) -> str:
    """The service port's own address in a subnet; empty if it has none."""
    net = ipaddress.ip_network(subnet.cidr, strict=False)
    given = network.service_port.addresses if network.service_port else ()
    found = [ipaddress.ip_interface(text).ip for text in given]
    return next((str(ip) for ip in found if ip.version == net.version and ip in net), "")


def _is_served(subnet: Subnet) -> bool:
    """IPv6 by SLAAC alone needs no server; without any mode Neutron serves statically."""
    if subnet.ip_version == 4:
        return True
    return subnet.ipv6_address_mode in _DHCPV6_MODES or not (subnet.ipv6_address_mode or subnet.ipv6_ra_mode)


def _tag(subnet: Subnet) -> str:
    return "subnet-" + _plain(subnet.id)


def _port_tag(port: Port) -> str:
    return "port-" + _plain(port.id)


def _plain(resource_id: str) -> str:
    return re.sub(r"[^0-9a-zA-Z-]", "", resource_id)


def _domain(text: str) -> str:
    """The domain if it is one, else none."""
    lowered = text.lower().rstrip(".")
    labels = lowered.split(".")
    return lowered if lowered and all(map(_LABEL.fullmatch, labels)) and len(lowered) < 254 else ""


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
