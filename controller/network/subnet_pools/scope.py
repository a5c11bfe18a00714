"""Which address scope a pool may be in: one that its project may use, whose other pools have other prefixes."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import collection, refusals, standard
from controller.network.address_scopes.kind import KIND as SCOPES
from controller.network.address_scopes.model import AddressScope
from controller.network.addresses import Prefix
from controller.network.networks.model import Network
from controller.network.subnet_pools import space
from controller.network.subnet_pools.model import SubnetPool
from controller.network.subnets.model import Subnet
from controller.web.caller import Caller


def lock(session: Session, scope_ids: Sequence[str | None]) -> None:
    """Other verbs on the scopes stand in line; scopes come before pools, and pools before networks."""
    standard.lock(session, AddressScope, [scope_id for scope_id in scope_ids if scope_id])


def check(
    session: Session, caller: Caller, scope_id: str, version: int, prefixes: Sequence[Prefix], pool_id: str
) -> None:
    """Whether a pool of these prefixes may be in the scope, which is locked; no ``pool_id`` for a new pool.

    Raises BadRequest, NotFound, Conflict.
    """
    scope: AddressScope = collection.find(session, SCOPES, caller, scope_id)
    if scope.ip_version != version:
        raise refusals.invalid(
            f"Illegal subnetpool association: subnetpool {pool_id} cannot associate with address scope "
            f"{scope_id} because subnetpool ip_version is not {scope.ip_version}.",
            "IllegalSubnetPoolIpVersionAssociationToAddressScope",
        )
    others = select(SubnetPool).where(SubnetPool.address_scope_id == scope_id, SubnetPool.id != pool_id)
    wanted = space.ranges(prefixes)
    if any(space.meet(wanted, space.ranges(other.networks)) for other in session.scalars(others)):
        raise refusals.in_use(
            "Failed to associate address scope: subnetpools within an address scope must have unique prefixes.",
            "AddressScopePrefixConflict",
        )


def check_moved(session: Session, pool: SubnetPool) -> None:
    """Whether the pool may leave its scope for another: no network would be in two. Raises BadRequest."""
    networks = select(Subnet.network_id).where(Subnet.subnetpool_id == pool.id)
    standard.lock(session, Network, session.scalars(networks.distinct()).all())
    strangers = select(Subnet.id).where(
        Subnet.network_id.in_(networks),
        Subnet.ip_version == pool.ip_version,
        Subnet.subnetpool_id.is_distinct_from(pool.id),
    )
    if session.scalar(strangers.limit(1)):
        raise affinity()


def check_owner(session: Session, caller: Caller, pool: SubnetPool) -> None:
    """A pool in another project's scope is changed by that project alone. Raises BadRequest."""
    owner = session.scalar(select(AddressScope.project_id).where(AddressScope.id == pool.address_scope_id))
    if pool.address_scope_id and not caller.is_admin and owner != caller.own_project:
        raise refusals.invalid(
            f"Illegal subnetpool update : subnetpool {pool.id} cannot be updated when associated with "
            f"shared address scope {pool.address_scope_id}.",
            "IllegalSubnetPoolUpdate",
        )


def affinity() -> Exception:
    """The error when a network would be in two scopes."""
    return refusals.invalid(
        "Subnets of the same address family hosted on the same network must all participate in the same "
        "address scope.",
        "NetworkAddressScopeAffinityError",
    )
