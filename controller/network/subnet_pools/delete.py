"""Deleting a subnet pool that no subnet is cut from."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import refusals
from controller.network.rbac import model as rbac
from controller.network.subnet_pools.model import SubnetPool
from controller.network.subnet_pools.update import lock
from controller.network.subnets.model import Subnet
from controller.network.tags import model as tags


def delete(session: Session, pool: SubnetPool) -> None:
    """Removes the pool. Raises BadRequest, as neutron has it, while it has subnets."""
    lock(session, pool)
    if session.scalar(select(Subnet.id).where(Subnet.subnetpool_id == pool.id).limit(1)):
        raise refusals.invalid(
            "Unable to delete subnet pool: Subnet pool has existing allocations.", "SubnetPoolDeleteError"
        )
    rbac.forget(session, pool.id)
    tags.forget(session, pool.id)
    session.delete(pool)
