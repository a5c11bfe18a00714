"""``/network-ip-availabilities``: how many addresses networks have, and how many are used."""

from collections.abc import Sequence
from typing import Any

import falcon
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from controller.network import addresses, refusals
from controller.network.networks.model import Network
from controller.network.ports.model import PortAddress
from controller.network.subnets.model import Subnet
from controller.web.resource import Resource, answer, params_of

#: Query parameters by column.
_FILTERS = {
    "network_id": Network.id,
    "network_name": Network.name,
    "project_id": Network.project_id,
    "tenant_id": Network.project_id,
}


def read(session: Session, params: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The counts of every network that is asked for, in three queries; by version: of those that have such subnets."""
    statement = select(Network).order_by(Network.created_at)
    for name, column in _FILTERS.items():
        if name in params:
            statement = statement.where(column.in_(params[name]))
    networks = session.scalars(statement).all()
    subnets: dict[str, list[Subnet]] = {network.id: [] for network in networks}
    for subnet in session.scalars(select(Subnet).where(Subnet.network_id.in_(subnets))):
        subnets[subnet.network_id].append(subnet)
    used = dict(
        session.execute(select(PortAddress.subnet_id, func.count()).group_by(PortAddress.subnet_id))
        .tuples()
        .all()
    )
    versions = {int(v) for v in params.get("ip_version", ()) if v in ("4", "6")}
    found = ((n, [s for s in subnets[n.id] if not versions or s.ip_version in versions]) for n in networks)
    return [_shown(network, those, used) for network, those in found if those or not versions]


def _shown(network: Network, subnets: Sequence[Subnet], used: dict[str, int]) -> dict[str, Any]:
    rows = [
        {
            "subnet_id": subnet.id,
            "subnet_name": subnet.name,
            "cidr": subnet.cidr,
            "ip_version": subnet.ip_version,
            "total_ips": addresses.size(subnet.pools) or subnet.prefix.num_addresses,
            "used_ips": used.get(subnet.id, 0),
        }
        for subnet in subnets
    ]
    return {
        "network_id": network.id,
        "network_name": network.name,
        "project_id": network.project_id,
        "tenant_id": network.project_id,
        "total_ips": sum(row["total_ips"] for row in rows),
        "used_ips": sum(row["used_ips"] for row in rows),
        "subnet_ip_availability": rows,
    }


class IpAvailabilities(Resource):
    """Counts of all networks."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists them."""
        self.allow(req, "network:ip_availability:list")
        with self.db.read() as session:
            found = read(session, params_of(req))
        answer(resp, {"network_ip_availabilities": found})


class IpAvailability(Resource):
    """Counts of one network."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, network_id: str) -> None:
        """Shows them."""
        self.allow(req, "network:ip_availability:list")
        with self.db.read() as session:
            found = read(session, {"network_id": [network_id]})
        if not found:
            raise refusals.missing("network", network_id)
        answer(resp, {"network_ip_availability": found[0]})
