"""Taking subnets that were made without a pool into one, which then has their prefixes."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import collection, refusals, standard
from controller.network.networks.kind import KIND as NETWORKS
from controller.network.networks.model import Network
from controller.network.subnet_pools import scope, space
from controller.network.subnet_pools.model import SubnetPool
from controller.network.subnet_pools.update import add_prefixes, lock, tell
from controller.network.subnets.model import Subnet
from controller.web.caller import Caller


def onboard(session: Session, caller: Caller, pool: SubnetPool, network_id: str) -> Sequence[Subnet]:
    """The subnets of the network of the pool's IP version are the pool's. Raises BadRequest, NotFound, Conflict."""
    scope.lock(session, [pool.address_scope_id])
    lock(session, pool)
    network: Network = collection.owned(session, NETWORKS, caller, network_id, "onboard_network_subnets")
    standard.lock_row(session, network, "network")
    subnets = session.scalars(
        select(Subnet).where(Subnet.network_id == network.id, Subnet.ip_version == pool.ip_version)
    ).all()
    taken = session.scalars(select(Subnet).where(Subnet.subnetpool_id == pool.id)).all()
    used = space.ranges(subnet.prefix for subnet in taken)
    add_prefixes(session, caller, pool, [subnet.cidr for subnet in subnets])
    for subnet in subnets:
        if space.meet(space.ranges([subnet.prefix]), used):
            raise refusals.invalid(
                f"Illegal subnetpool update : Onboarding subnet {subnet.id}: {subnet.cidr} conflicts with "
                f"allocated prefixes in subnet pool {pool.id}.",
                "IllegalSubnetPoolUpdate",
            )
        subnet.subnetpool_id = pool.id
        standard.touch(subnet)
    session.flush()
    tell(session, pool)
    return subnets
