"""Rows → contract documents of ports, networks, segments and security groups, and who depends on whom.
Those of routers are in ``routers/document.py``, and taken in here.

Fields are filled from rows by name; named here are those that are computed.
``DOCUMENTS`` and ``DEPENDENTS`` are handed to the engine by main. Kinds of rows in the outbox: "port",
"network", "subnet", "security_group", "address_group", "router", "qos_policy", and three that are no rows of their own:
"segment" (a network whose ports or service port changed, but not itself), "network_qos" (a network that has another
QoS policy) and "tunnel_endpoint" (a host whose VTEP changed).
"""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract import address_group as address_group_contract
from contract import network as network_contract
from contract import port as port_contract
from contract import security_group as group_contract
from contract import segment as segment_contract
from contract import topics
from contract.document import Key
from controller.db.agents import Agent
from controller.db.host_documents import Dependents, DocumentKind, filled
from controller.network.address_groups.model import AddressGroup
from controller.network.networks import dhcp_hosts
from controller.network.networks.model import Network
from controller.network.ports import dns, service
from controller.network.ports.groups import groups_of
from controller.network.ports.model import Port, PortAddress, PortGroup
from controller.network.qos import effective as qos
from controller.network.qos import told as qos_told
from controller.network.routers import document as router_document
from controller.network.security_groups.model import SecurityGroup, SecurityGroupRule, address_groups
from controller.network.subnets.model import Subnet
from controller.network.trunks.model import place_of

# --- which hosts have them


def _port_hosts(session: Session, port_id: str) -> set[str]:
    return _hosts(session.scalars(select(Port.binding_host).where(Port.id == port_id)))


def _network_hosts(session: Session, network_id: str) -> set[str]:
    return dhcp_hosts.with_network(session, network_id)


def _group_hosts(session: Session, group_id: str) -> set[str]:
    """Hosts with a port in the group, or in a group whose rules name it as remote."""
    naming = select(SecurityGroupRule.group_id).where(SecurityGroupRule.remote_group_id == group_id)
    statement = (
        select(Port.binding_host)
        .join(PortGroup, PortGroup.port_id == Port.id)
        .where((PortGroup.group_id == group_id) | PortGroup.group_id.in_(naming))
        .distinct()
    )
    return _hosts(session.scalars(statement))


def _hosts(found: Iterable[str]) -> set[str]:
    return {host for host in found if host}


# --- what they say


def _port(session: Session, host: str, port_id: str) -> port_contract.Port | None:
    port = session.get(Port, port_id, populate_existing=True)
    if port is None or port.binding_host != host:
        return None
    fixed_ips = session.execute(
        select(PortAddress.ip_address, PortAddress.subnet_id)
        .where(PortAddress.port_id == port_id)
        .order_by(PortAddress.ordinal)
    )
    rules = qos.rules(session, qos.policy_of_port(session, port))
    parent_port_id, segmentation_id = place_of(session, port.id) or ("", None)
    return filled(
        port_contract.Port,
        port,
        fixed_ips=tuple(filled(port_contract.FixedIp, row) for row in fixed_ips),
        # the cloud's own devices speak for others: a router sends what is from anywhere
        is_port_security=port.is_port_security and not port.device_owner.startswith("network:"),
        security_group_ids=groups_of(session, [port_id]).get(port_id, ()),
        hostname=port.dns_name,
        dns_domain=dns.own_domain(port, session.get_one(Network, port.network_id)),
        limits=qos.limits(rules),
        dscp_mark=qos.dscp_mark(rules),
        parent_port_id=parent_port_id,
        segmentation_id=segmentation_id,
    )


def _network(session: Session, host: str, network_id: str) -> network_contract.Network | None:
    network = session.get(Network, network_id, populate_existing=True)
    if network is None:
        return None
    subnets = session.scalars(
        select(Subnet)
        .where(Subnet.network_id == network_id)
        .order_by(Subnet.id)
        .execution_options(populate_existing=True)
    ).all()
    return filled(
        network_contract.Network,
        network,
        subnets=tuple(_subnet(subnet) for subnet in subnets),
        dns_domain=dns.domain_of_network(network),
        service_port=None
        if dhcp_hosts.is_excluded(session, network_id, host)
        else _service_port(session, network_id, {s.id: s.prefix.prefixlen for s in subnets}),
    )


def _subnet(subnet: Subnet) -> network_contract.Subnet:
    routes = tuple((r["destination"], r["nexthop"]) for r in subnet.host_routes)
    return filled(network_contract.Subnet, subnet, host_routes=routes)


def _service_port(
    session: Session, network_id: str, lengths: dict[str, int]
) -> network_contract.ServicePort | None:
    port = service.find(session, network_id)
    if port is None:
        return None
    rows = session.execute(
        select(PortAddress.ip_address, PortAddress.subnet_id)
        .where(PortAddress.port_id == port.id)
        .order_by(PortAddress.ordinal)
    )
    addresses = tuple(f"{ip}/{lengths[subnet]}" for ip, subnet in rows if subnet in lengths)
    return filled(network_contract.ServicePort, port, addresses=addresses)


def _segment(session: Session, host: str, network_id: str) -> segment_contract.Segment | None:
    network = session.get(Network, network_id, populate_existing=True)
    if network is None:
        return None
    return filled(segment_contract.Segment, network, endpoints=_endpoints(session, host, network))


def _endpoints(session: Session, host: str, network: Network) -> tuple[segment_contract.TunnelEndpoint, ...]:
    """Tunnel end points of the other hosts that have ports here, with what is behind each."""
    rows = session.execute(
        select(
            Port.id,
            Port.mac_address,
            Port.binding_host,
            Port.router_id,
            Port.project_id,
            Port.dns_name,
            Port.dns_domain,
        )
        .where(Port.network_id == network.id, Port.binding_host.not_in(("", host)))
        .order_by(Port.id)
    ).all()
    addresses = _addresses(session, [row.id for row in rows])
    floating = router_document.floating_by_router(session, network.id)
    behind: dict[str, list[segment_contract.RemotePort]] = {}
    for row in rows:
        remote = segment_contract.RemotePort(
            mac_address=row.mac_address,
            ip_addresses=(*addresses.get(row.id, ()), *floating.get(row.router_id, ())),
            hostname=row.dns_name,
            dns_domain=dns.own_domain(row, network),
        )
        behind.setdefault(row.binding_host, []).append(remote)
    is_tunnelled = network.network_type == "vxlan"
    places = _tunnel_addresses(session, behind) if is_tunnelled else dict.fromkeys(behind, "")
    return tuple(
        segment_contract.TunnelEndpoint(address=places[other], ports=tuple(behind[other]))
        for other in sorted(behind)
        if other in places
    )


def _tunnel_addresses(session: Session, hosts: Iterable[str]) -> dict[str, str]:
    statement = select(Agent.host, Agent.capabilities).where(
        Agent.agent == topics.OVS_AGENT, Agent.host.in_(list(hosts))
    )
    found = {host: capabilities.get("tunnel_ip", "") for host, capabilities in session.execute(statement)}
    return {host: address for host, address in found.items() if address}


def _addresses(session: Session, port_ids: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    statement = (
        select(PortAddress.port_id, PortAddress.ip_address)
        .where(PortAddress.port_id.in_(port_ids))
        .order_by(PortAddress.ordinal)
    )
    for port_id, text in session.execute(statement):
        found.setdefault(port_id, []).append(text)
    return found


def _group(session: Session, _host: str, group_id: str) -> group_contract.SecurityGroup | None:
    group = session.get(SecurityGroup, group_id, populate_existing=True)
    if group is None:
        return None
    rules = session.scalars(
        select(SecurityGroupRule).where(SecurityGroupRule.group_id == group_id).order_by(SecurityGroupRule.id)
    )
    return filled(
        group_contract.SecurityGroup,
        group,
        rules=tuple(filled(group_contract.Rule, rule) for rule in rules),
        members=_members(session, group_id),
    )


def _members(session: Session, group_id: str) -> tuple[group_contract.Member, ...]:
    """Ports of the group that are on a host, with every address that they may use."""
    rows = session.execute(
        select(Port.id, Port.allowed_address_pairs)
        .join(PortGroup, PortGroup.port_id == Port.id)
        .where(PortGroup.group_id == group_id, Port.binding_host != "")
        .order_by(Port.id)
    ).all()
    addresses = _addresses(session, [row.id for row in rows])
    return tuple(
        group_contract.Member(
            port_id=row.id,
            ip_addresses=tuple(
                dict.fromkeys(
                    (*addresses.get(row.id, ()), *(pair["ip_address"] for pair in row.allowed_address_pairs))
                )
            ),
        )
        for row in rows
    )


def _address_group_hosts(session: Session, group_id: str) -> set[str]:
    """Hosts with a port in a group whose rules name it."""
    naming = select(SecurityGroupRule.group_id).where(SecurityGroupRule.remote_address_group_id == group_id)
    statement = (
        select(Port.binding_host)
        .join(PortGroup, PortGroup.port_id == Port.id)
        .where(PortGroup.group_id.in_(naming))
        .distinct()
    )
    return _hosts(session.scalars(statement))


def _address_group(session: Session, _host: str, group_id: str) -> address_group_contract.AddressGroup | None:
    group = session.get(AddressGroup, group_id, populate_existing=True)
    return filled(address_group_contract.AddressGroup, group) if group else None


DOCUMENTS: dict[str, DocumentKind] = {
    "port": DocumentKind(_port_hosts, _port),
    "network": DocumentKind(_network_hosts, _network),
    "segment": DocumentKind(_network_hosts, _segment),
    "security_group": DocumentKind(_group_hosts, _group),
    "address_group": DocumentKind(_address_group_hosts, _address_group),
    "router": router_document.DOCUMENT,
}


# --- what is built on a row


def _of_port(session: Session, port_id: str) -> set[Key]:
    """A port that is gone has told all but itself in the verb that removed it."""
    keys = {Key("port", port_id)}
    port = session.execute(
        select(Port.network_id, Port.server_id, Port.router_id).where(Port.id == port_id)
    ).one_or_none()
    if port is None:
        return keys
    keys |= _of_segment(session, port.network_id) | _of_servers([port.server_id])
    if port.router_id:
        keys.add(Key("router", port.router_id))
    for group_id in groups_of(session, [port_id]).get(port_id, ()):
        keys |= _of_group(session, group_id)
    return keys


def _of_segment(_session: Session, network_id: str) -> set[Key]:
    return {Key("network", network_id), Key("segment", network_id)}


def _of_network(session: Session, network_id: str) -> set[Key]:
    servers = session.scalars(select(Port.server_id).where(Port.network_id == network_id).distinct())
    routers = router_document.of_network(session, network_id)
    return _of_segment(session, network_id) | _of_servers(servers) | routers


def _of_subnet(session: Session, subnet_id: str) -> set[Key]:
    network_id = session.scalar(select(Subnet.network_id).where(Subnet.id == subnet_id))
    servers = session.scalars(
        select(Port.server_id)
        .join(PortAddress, PortAddress.port_id == Port.id)
        .where(PortAddress.subnet_id == subnet_id)
        .distinct()
    )
    keys = _of_servers(servers) | router_document.of_subnet(session, subnet_id)
    return keys | {Key("network", network_id)} if network_id else keys


def _of_group(session: Session, group_id: str) -> set[Key]:
    """The group, and the groups that its rules name: their members must be known where its ports are."""
    remote = session.scalars(
        select(SecurityGroupRule.remote_group_id)
        .where(SecurityGroupRule.group_id == group_id, SecurityGroupRule.remote_group_id.is_not(None))
        .distinct()
    )
    named = {Key("address_group", found) for found in address_groups(session, [group_id])}
    return named | {Key("security_group", group_id), *(Key("security_group", g) for g in remote if g)}


def _of_endpoint(session: Session, host: str) -> set[Key]:
    networks = session.scalars(select(Port.network_id).where(Port.binding_host == host).distinct())
    return {Key("segment", network_id) for network_id in networks}


def _of_servers(server_ids: Iterable[str | None]) -> set[Key]:
    return {Key(kind, s) for s in server_ids if s for kind in ("server", "instance_data")}


DEPENDENTS: dict[str, Dependents] = {
    "port": _of_port,
    "network": _of_network,
    "subnet": _of_subnet,
    "security_group": _of_group,
    "address_group": lambda _session, group_id: {Key("address_group", group_id)},
    "segment": _of_segment,
    "tunnel_endpoint": _of_endpoint,
    "router": router_document.of_router,
    "qos_policy": qos_told.of_policy,
    "network_qos": qos_told.of_network,
}
