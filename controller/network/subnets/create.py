"""Making a subnet: its values checked, its pools laid out, its network's service port given an address."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.identity import projects
from controller.network import addresses, limits, refusals, standard
from controller.network.addresses import Prefix
from controller.network.networks.model import Network
from controller.network.ports import ipam, service
from controller.network.ports.model import AUTO_DELETED_OWNERS, GIVEN_ADDRESS_OWNERS, Port
from controller.network.rbac import model as rbac
from controller.network.subnet_pools import allocate
from controller.network.subnet_pools.model import SubnetPool
from controller.network.subnets import check
from controller.network.subnets.model import Subnet
from controller.web.caller import Caller


def create(session: Session, caller: Caller, values: dict[str, Any]) -> Subnet:
    """A new subnet. Raises BadRequest, NotFound, Conflict."""
    projects.lock(session, values["project_id"])
    pool = allocate.chosen_pool(session, caller, values)
    network = _network(session, caller, values["network_id"])
    limits.check(session, values["project_id"], "subnet")
    if not caller.is_admin:
        values["project_id"] = network.project_id
    cidr = _cidr(session, pool, values)
    allocate.check_network(session, network, cidr.version, pool)
    _check_overlap(session, network, cidr)
    _check_mtu(network, cidr)
    stored = {n: v for n, v in values.items() if n in Subnet.__table__.columns}
    normal = {"cidr": str(cidr), "ip_version": cidr.version, **_laid_out(values, cidr)}
    normal["subnetpool_id"] = pool.id if pool else None
    subnet = Subnet(**{**stored, **normal}, revision_number=1)
    session.add(subnet)
    session.flush()
    _give_auto_addresses(session, subnet)
    service.refresh(session, network.id)
    outbox.changed(session, "subnet", subnet.id)
    return subnet


def _network(session: Session, caller: Caller, network_id: str) -> Network:
    """The network, locked. Only its owner may add subnets."""
    standard.lock(session, Network, [network_id])
    network = session.get(Network, network_id)
    if network is not None and (caller.is_admin or network.project_id == caller.own_project):
        return network
    if network is None or not rbac.is_granted(session, network_id, caller.own_project, *rbac.ANY):
        raise refusals.missing("network", network_id)
    raise refusals.disallowed("create_subnet", "the network belongs to another project.")


def _cidr(session: Session, pool: SubnetPool | None, values: dict[str, Any]) -> Prefix:
    """The prefix that is asked for, or one of the pool."""
    if values.get("cidr") and values.get("prefixlen") is not None:
        raise refusals.bad("subnets", "cidr and prefixlen must not be supplied together")
    if pool is not None:
        return allocate.allocate(session, pool, values)
    if not values.get("cidr"):
        raise refusals.bad("subnets", "a subnetpool must be specified in the absence of a cidr")
    return check.prefix(values["cidr"], values["ip_version"])


def _check_overlap(session: Session, network: Network, cidr: Prefix) -> None:
    for subnet in session.scalars(select(Subnet).where(Subnet.network_id == network.id)):
        if subnet.ip_version == cidr.version and subnet.prefix.overlaps(cidr):
            raise refusals.invalid(
                f"Requested subnet with cidr: {cidr} for network: {network.id} overlaps with another subnet"
            )


def _check_mtu(network: Network, cidr: Prefix) -> None:
    if cidr.version == 6 and network.mtu < 1280:
        raise refusals.in_use(
            f"Network MTU {network.mtu} of {network.id} is too small for IPv6: 1280 is the least.",
            "NetworkMTUSubnetConflict",
        )


def _laid_out(values: dict[str, Any], cidr: Prefix) -> dict[str, Any]:
    """Columns of the subnet that depend on each other."""
    if values["is_dhcp"]:
        check.dhcp(cidr)
    check.ipv6_modes(cidr, values["is_dhcp"], values["ipv6_ra_mode"], values["ipv6_address_mode"])
    text = values.get("gateway_ip", addresses.default_gateway(cidr)) or None
    gateway = None if text is None else check.gateway(text, cidr)
    given = values.get("allocation_pools")
    pools = addresses.default_pools(cidr, gateway) if given is None else check.pools(given, cidr, gateway)
    return {
        "gateway_ip": None if gateway is None else str(gateway),
        "allocation_pools": shown_pools(pools, cidr.version),
        "dns_nameservers": check.dns_nameservers(values["dns_nameservers"] or (), cidr.version),
        "service_types": check.service_types(values["service_types"] or ()),
        "host_routes": check.host_routes(values["host_routes"] or (), cidr.version),
    }


def shown_pools(pools: list[addresses.Range], version: int) -> list[dict[str, str]]:
    """Pools as rows and API have them."""
    return [
        {"start": addresses.address(first, version), "end": addresses.address(last, version)}
        for first, last in pools
    ]


def _give_auto_addresses(session: Session, subnet: Subnet) -> None:
    """Guests that are there already make themselves an address of the new prefix."""
    if not subnet.is_auto_address:
        return
    ports = session.scalars(
        select(Port).where(
            Port.network_id == subnet.network_id,
            Port.device_owner.not_in((*AUTO_DELETED_OWNERS, *GIVEN_ADDRESS_OWNERS)),
        )
    ).all()
    for port in ports:
        ipam.give_auto_addresses(session, port, [subnet])
    outbox.changed(session, "port", *(port.id for port in ports if port.binding_host))
