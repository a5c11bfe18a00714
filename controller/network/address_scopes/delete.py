"""Deleting an address scope that no subnet pool is in."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import refusals, standard
from controller.network.address_scopes.model import AddressScope
from controller.network.rbac import model as rbac
from controller.network.subnet_pools.model import SubnetPool


def delete(session: Session, scope: AddressScope) -> None:
    """Removes the scope. Raises NotFound, Conflict while pools are in it."""
    standard.lock_row(session, scope, "address scope")
    pools = select(SubnetPool.id).where(SubnetPool.address_scope_id == scope.id)
    if session.scalar(pools.limit(1)):
        raise refusals.in_use(
            f"Unable to complete operation on address scope {scope.id}. There are one or more subnet pools "
            "in use on the address scope.",
            "AddressScopeInUse",
        )
    rbac.forget(session, scope.id)
    session.delete(scope)
