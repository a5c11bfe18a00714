"""dnsmasq's files: modes as Neutron's, and nothing a user writes becomes a directive."""

import ipaddress
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contract.network import Network, ServicePort, Subnet
from contract.port import DhcpOption, FixedIp, Port
from contract.segment import RemotePort
from ovs_agent.namespaces import dhcp

SERVICE = ServicePort(id="1" * 36, mac_address="fa:16:3e:00:00:01", addresses=("10.0.0.2/24", "fd00::2/64"))


def network(*subnets: Subnet, **fields: str) -> Network:
    """A network with these subnets."""
    return Network(id="2" * 36, project_id="p", mtu=1450, subnets=subnets, service_port=SERVICE, **fields)


def port(*ips: FixedIp, **fields: Any) -> Port:
    """A port with these addresses."""
    fields.setdefault("mac_address", "fa:16:3e:00:00:09")
    return Port(
        id="3" * 36,
        network_id="2" * 36,
        project_id="p",
        device_id="d",
        device_owner="compute:nova",
        fixed_ips=ips,
        **fields,
    )


V4 = Subnet(id="4" * 36, cidr="10.0.0.0/24", ip_version=4, gateway_ip="10.0.0.1")
ADDRESS = FixedIp(ip_address="10.0.0.9", subnet_id=V4.id)


@given(st.text(), st.text(), st.text(), st.text(), st.text())
def test_row_22_no_text_of_a_user_becomes_a_directive(
    hostname: str, domain: str, own: str, mac: str, ip: str
) -> None:
    elsewhere = RemotePort(mac_address=mac, ip_addresses=(ip, "10.0.0.8"), hostname=hostname, dns_domain=own)
    files = dhcp.compile_files(
        network(V4, dns_domain=domain),
        [
            port(ADDRESS, hostname=hostname, dns_domain=own),
            port(FixedIp(ip_address=ip, subnet_id=V4.id), mac_address=mac, hostname=hostname),
        ],
        "/d",
        elsewhere=[elsewhere],
    )
    plain = dhcp.compile_files(network(V4), [], "/d").config.splitlines()
    extra = set(files.config.splitlines()) - set(plain)
    assert all(re.fullmatch(r"(domain=[a-z0-9.-]+|local=/[a-z0-9.-]+/)", line) for line in extra)
    for line in files.hosts.splitlines():
        assert re.fullmatch(
            r"([0-9a-f:]{17}),(tag:dhcpv6,)?set:port-[3]+,[a-z0-9-]{1,63},[0-9a-f.:\[\]]+", line
        )
    for line in files.names.splitlines():
        assert re.fullmatch(r"[0-9a-f.:]+( [a-z0-9.-]+){1,4}", line)
    for line in files.options.splitlines():
        assert re.fullmatch(r"tag:[a-z0-9-]+,(option6?:[a-z-]+|249)(,[a-z0-9.:/,-]+)?", line)


def test_a_subnet_without_dhcp_is_not_served() -> None:
    off = Subnet(id="5" * 36, cidr="10.5.0.0/24", ip_version=4, is_dhcp=False)
    files = dhcp.compile_files(
        network(V4, off), [port(FixedIp(ip_address="10.5.0.9", subnet_id=off.id))], "/d"
    )
    assert "10.5.0.0" not in files.config and not files.hosts
    assert dhcp.served(network(off)) == ()


def test_ipv6_modes() -> None:
    served = {
        mode: bool(dhcp.served(network(v6(mode))))
        for mode in ("slaac", "dhcpv6-stateful", "dhcpv6-stateless")
    }
    assert served == {"slaac": False, "dhcpv6-stateful": True, "dhcpv6-stateless": True}
    assert dhcp.served(network(v6(None)))


def test_the_default_route_is_among_the_routes_and_metadata_first() -> None:
    subnet = Subnet(
        id=V4.id,
        cidr="10.0.0.0/24",
        ip_version=4,
        gateway_ip="10.0.0.1",
        host_routes=(("10.9.0.0/16", "10.0.0.5"),),
    )
    options = dhcp.compile_files(network(subnet), [], "/d").options
    routes = "169.254.169.254/32,10.0.0.2,10.9.0.0/16,10.0.0.5,0.0.0.0/0,10.0.0.1"
    assert f"option:classless-static-route,{routes}\n" in options
    assert "option:dns-server,10.0.0.2\n" in options, "without name servers dnsmasq is the one"


def test_without_a_gateway_dnsmasq_must_not_offer_itself() -> None:
    bare = Subnet(id=V4.id, cidr="10.0.0.0/24", ip_version=4)
    assert re.search(r"option:router$", dhcp.compile_files(network(bare), [], "/d").options, re.M)


def test_names_by_host_and_address() -> None:
    files = dhcp.compile_files(network(V4, dns_domain="x.org"), [port(ADDRESS, hostname="Web")], "/d")
    assert files.names == "10.0.0.9 web.x.org web host-10-0-0-9.x.org host-10-0-0-9\n"
    assert files.hosts == f"fa:16:3e:00:00:09,set:port-{'3' * 36},web,10.0.0.9\n"


def v6(mode: str | None) -> Subnet:
    """An IPv6 subnet in a mode."""
    assert ipaddress.ip_network("fd00::/64")
    return Subnet(id="6" * 36, cidr="fd00::/64", ip_version=6, ipv6_address_mode=mode, ipv6_ra_mode=None)


@given(st.text(), st.text())
def test_row_22_an_option_is_a_line_of_its_port_alone(name: str, value: str) -> None:
    options = (DhcpOption(opt_name=name, opt_value=value), DhcpOption(opt_name="67", opt_value=value))
    files = dhcp.compile_files(network(V4), [port(ADDRESS, extra_dhcp_opts=options)], "/d")
    plain = dhcp.compile_files(network(V4), [port(ADDRESS)], "/d")
    assert (files.config, files.hosts, files.names) == (plain.config, plain.hosts, plain.names)
    added = files.options.removeprefix(plain.options)
    assert added.count("\n") <= 2 and not re.search(r"[\x00-\x09\x0b-\x1f]", added)
    for line in filter(None, added.split("\n")):
        assert re.match(rf"tag:port-{'3' * 36},(option:[A-Za-z0-9_-]+|\d+)(,|$)", line)
        assert len(line.encode()) < 512


def test_options_of_a_port_by_name_number_and_version() -> None:
    given = (("mtu", "1400", 4), ("42", "10.0.0.5", 4), ("23", "[fd00::5]", 6), ("router", "", 4))
    options = tuple(DhcpOption(opt_name=n, opt_value=value, ip_version=v) for n, value, v in given)
    files = dhcp.compile_files(network(V4), [port(ADDRESS, extra_dhcp_opts=options)], "/d")
    tag = f"tag:port-{'3' * 36}"
    assert files.options.splitlines()[-4:] == [
        f"{tag},option:mtu,1400",
        f"{tag},42,10.0.0.5",
        f"{tag},option6:23,[fd00::5]",
        f"{tag},option:router",
    ]


def test_names_are_of_the_ports_domain_and_those_of_other_hosts_are_known() -> None:
    own = port(ADDRESS, hostname="web.eu", dns_domain="own.org.")
    addresses = ("10.0.0.8", "fd00::8")
    elsewhere = RemotePort(mac_address="fa:16:3e:00:00:08", ip_addresses=addresses, hostname="db.x.org.")
    stranger = RemotePort(
        mac_address="fa:16:3e:00:00:07", ip_addresses=("10.0.0.7",), hostname="a.google.com."
    )
    files = dhcp.compile_files(network(V4, dns_domain="x.org."), [own], "/d", elsewhere=[elsewhere, stranger])
    assert files.names.splitlines() == [
        "10.0.0.9 web.eu.own.org host-10-0-0-9.own.org host-10-0-0-9",
        "10.0.0.8 db.x.org db host-10-0-0-8.x.org host-10-0-0-8",
        "fd00::8 db.x.org db host-fd00--8.x.org host-fd00--8",
        "10.0.0.7 host-10-0-0-7.x.org host-10-0-0-7",
    ], "a whole name is one of the domain, or none"
    assert ",web,10.0.0.9" in files.hosts
    assert f"tag:port-{'3' * 36},option:domain-name,own.org\n" in files.options


def test_a_guest_that_makes_its_address_itself_is_known_and_given_none() -> None:
    six = v6("dhcpv6-stateless")
    own = FixedIp(ip_address="fd00::f816:3eff:fe00:9", subnet_id=six.id)
    files = dhcp.compile_files(network(six), [port(own, hostname="six")], "/d")
    assert files.hosts == f"fa:16:3e:00:00:09,tag:dhcpv6,set:port-{'3' * 36}\n"
    assert files.names.startswith("fd00::f816:3eff:fe00:9 six ")
