"""What the ports of servers look like, for compute's lists and for what guests are told: read by Core."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, literal, select, text, union_all
from sqlalchemy.orm import Session

from contract.instance_data import InstanceAddress, InstanceNic
from controller.db.host_documents import filled
from controller.network.floating_ips.model import FloatingIp
from controller.network.networks.model import Network
from controller.network.ports.model import Port, PortAddress
from controller.network.subnets.model import Subnet


@dataclass(frozen=True)
class ServerAddress:
    """One address of a server."""

    ip_address: str
    version: int
    subnet_id: str


@dataclass(frozen=True)
class ServerPort:
    """One NIC of a server: all columns of its port under their names, ``port_id`` and ``tag`` of the NIC,
    and ``network_name`` and ``mtu`` of its network. What is added to the model is here too."""

    row: Row[Any]
    addresses: tuple[ServerAddress, ...]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.row, name)


def of_servers(session: Session, server_ids: Sequence[str]) -> dict[str, list[ServerPort]]:
    """The ports of each server in the order of their NICs, in two queries."""
    rows = session.execute(
        select(
            *Port.__table__.c,
            Port.id.label("port_id"),
            Port.nic_tag.label("tag"),
            Network.name.label("network_name"),
            Network.mtu,
        )
        .join(Network, Network.id == Port.network_id)
        .where(Port.server_id.in_(server_ids))
        .order_by(Port.nic_index, Port.id)
    ).all()
    addresses = _addresses(session, [row.id for row in rows])
    found: dict[str, list[ServerPort]] = {server_id: [] for server_id in server_ids}
    for row in rows:
        found[row.server_id].append(ServerPort(row, tuple(addresses.get(row.id, ()))))
    return found


def addresses_of(session: Session, server_ids: Sequence[str]) -> dict[str, list[Row[Any]]]:
    """Of each server network_name, mac_address, ip_address and type of every address: the fixed ones in the
    order of its NICs, then the floating ones.

    For lists: one query, and no column more than they show.
    """
    fixed = (
        _on_servers(server_ids, PortAddress.ip_address, PortAddress.ordinal)
        .add_columns(literal("fixed").label("type"))
        .join(PortAddress, PortAddress.port_id == Port.id)
    )
    floating = (
        _on_servers(server_ids, FloatingIp.floating_ip_address, literal(0))
        .add_columns(literal("floating").label("type"))
        .join(FloatingIp, FloatingIp.port_id == Port.id)
    )
    order = (text(name) for name in ("type", "nic_index", "port_id", "ordinal", "ip_address"))
    found: dict[str, list[Row[Any]]] = {server_id: [] for server_id in server_ids}
    for row in session.execute(union_all(fixed, floating).order_by(*order)):
        found[row.server_id].append(row)
    return found


def _on_servers(server_ids: Sequence[str], ip_address: Any, ordinal: Any) -> Select[Any]:
    return (
        select(
            Port.server_id,
            Port.id.label("port_id"),
            Port.nic_index,
            Port.mac_address,
            Network.name.label("network_name"),
            ip_address.label("ip_address"),
            ordinal.label("ordinal"),
        )
        .join(Network, Network.id == Port.network_id)
        .where(Port.server_id.in_(server_ids))
    )


def instance_nics(session: Session, server_id: str) -> tuple[InstanceNic, ...]:
    """The NICs of a server as the guest is told of them."""
    ports = of_servers(session, [server_id])[server_id]
    subnet_ids = {address.subnet_id for port in ports for address in port.addresses}
    subnets = {s.id: s for s in session.scalars(select(Subnet).where(Subnet.id.in_(subnet_ids)))}
    return tuple(
        filled(InstanceNic, port, addresses=tuple(_told(a, subnets[a.subnet_id]) for a in port.addresses))
        for port in ports
    )


def _addresses(session: Session, port_ids: Sequence[str]) -> dict[str, list[ServerAddress]]:
    found: dict[str, list[ServerAddress]] = {}
    statement = (
        select(PortAddress.port_id, PortAddress.ip_address, PortAddress.subnet_id)
        .where(PortAddress.port_id.in_(port_ids))
        .order_by(PortAddress.ordinal)
    )
    for port_id, ip_address, subnet_id in session.execute(statement):
        version = 6 if ":" in ip_address else 4
        found.setdefault(port_id, []).append(ServerAddress(ip_address, version, subnet_id))
    return found


def _told(address: ServerAddress, subnet: Subnet) -> InstanceAddress:
    return filled(
        InstanceAddress,
        subnet,
        ip_address=address.ip_address,
        cidr=str(ipaddress.ip_network(subnet.cidr)),
        subnet_id=subnet.id,
        host_routes=tuple((r["destination"], r["nexthop"]) for r in subnet.host_routes),
    )
