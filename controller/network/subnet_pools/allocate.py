"""Cutting a subnet from a pool: which pool, and which of its prefixes."""

import ipaddress
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import collection, refusals, standard
from controller.network.addresses import Prefix
from controller.network.networks.model import Network
from controller.network.subnet_pools import scope, space
from controller.network.subnet_pools.kind import KIND
from controller.network.subnet_pools.model import SubnetPool
from controller.network.subnets import check
from controller.network.subnets.model import Subnet
from controller.web.caller import Caller


def chosen_pool(session: Session, caller: Caller, values: dict[str, Any]) -> SubnetPool | None:
    """The pool that the body of a subnet asks for, locked; None when it asks for none.

    Raises BadRequest, NotFound.
    """
    pool_id, is_default = values.get("subnetpool_id"), values.pop("use_default_subnetpool", False)
    if pool_id and is_default:
        raise _bad("subnetpool_id and use_default_subnetpool cannot both be specified")
    if is_default:
        default = default_pool(session, caller, values["ip_version"])
        if default is None:
            raise _bad(f"No default subnetpool found for IPv{values['ip_version']}")
        pool_id = default.id
    if not pool_id:
        return None
    standard.lock(session, SubnetPool, [pool_id])
    pool: SubnetPool = collection.find(session, KIND, caller, pool_id)
    session.refresh(pool)
    if values["ip_version"] != pool.ip_version:
        raise _bad(f"Cannot allocate IPv{values['ip_version']} subnet from IPv{pool.ip_version} subnet pool")
    return pool


def default_pool(session: Session, caller: Caller, version: int) -> SubnetPool | None:
    """The pool that subnets are cut from when none is named, if the caller sees one."""
    default = select(SubnetPool).where(SubnetPool.default_of == version)
    found: SubnetPool | None = session.scalar(collection.visible(KIND, default, caller))
    return found


def check_network(session: Session, network: Network, version: int, pool: SubnetPool | None) -> None:
    """All subnets of a network of one IP version are of one pool, or of pools of one scope. Raises BadRequest."""
    rows = session.execute(
        select(Subnet.subnetpool_id, SubnetPool.address_scope_id)
        .outerjoin(SubnetPool, SubnetPool.id == Subnet.subnetpool_id)
        .where(Subnet.network_id == network.id, Subnet.ip_version == version)
    ).all()
    wanted = pool.address_scope_id if pool else None
    for pool_id, scope_id in rows:
        if scope_id and scope_id != wanted:
            raise scope.affinity()
        if not scope_id and pool_id != (pool.id if pool else None):
            raise refusals.invalid(
                "Subnets hosted on the same network must be allocated from the same subnet pool.",
                "NetworkSubnetPoolAffinityError",
            )


def allocate(session: Session, pool: SubnetPool, values: dict[str, Any]) -> Prefix:
    """The prefix of a new subnet: the one asked for, that of the gateway asked for, or any of a length.

    The pool is locked. Raises BadRequest, Conflict.
    """
    cidr = _asked(pool, values)
    length = cidr.prefixlen if cidr else values.get("prefixlen")
    length = pool.default_prefixlen if length is None else length
    _check_length(pool, length)
    subnets = session.execute(
        select(Subnet.cidr, Subnet.project_id).where(Subnet.subnetpool_id == pool.id)
    ).all()
    taken = [(ipaddress.ip_network(text), project_id) for text, project_id in subnets]
    _check_quota(pool, [p for p, project_id in taken if project_id == values["project_id"]], length)
    left = space.without(space.ranges(pool.networks), space.ranges(prefix for prefix, _ in taken))
    if cidr is not None:
        if not space.has(left, cidr):
            raise _failed("Cannot allocate requested subnet from the available set of prefixes")
        return cidr
    found = space.first_free(left, pool.ip_version, length)
    if found is None:
        raise _failed(f"Insufficient prefix space to allocate subnet size /{length}")
    return found


def _asked(pool: SubnetPool, values: dict[str, Any]) -> Prefix | None:
    if values.get("cidr"):
        return check.prefix(values["cidr"], pool.ip_version)
    if values.get("allocation_pools") is not None:
        raise _bad("allocation_pools allowed only for specific subnet requests.")
    if not values.get("gateway_ip"):
        return None
    length = values.get("prefixlen")
    length = pool.default_prefixlen if length is None else length
    _check_length(pool, length)
    gateway = check.ip(values["gateway_ip"], pool.ip_version, "gateway_ip")
    return ipaddress.ip_network(f"{gateway}/{length}", strict=False)


def _check_length(pool: SubnetPool, length: int) -> None:
    if length > pool.max_prefixlen:
        raise refusals.invalid(
            f"Unable to allocate subnet with prefix length {length}, maximum allowed prefix is "
            f"{pool.max_prefixlen}.",
            "MaxPrefixSubnetAllocationError",
        )
    if length < pool.min_prefixlen:
        raise refusals.invalid(
            f"Unable to allocate subnet with prefix length {length}, minimum allowed prefix is "
            f"{pool.min_prefixlen}.",
            "MinPrefixSubnetAllocationError",
        )


def _check_quota(pool: SubnetPool, used: list[Prefix], length: int) -> None:
    """Zero means none, as no number does."""
    new = 2.0 ** (space.QUOTA_LENGTH[pool.ip_version] - length)
    if pool.default_quota and space.in_quota(used, pool.ip_version) + new > pool.default_quota:
        raise refusals.OverQuota(
            "Per-project subnet pool prefix quota exceeded.", kind="SubnetPoolQuotaExceeded"
        )


def _failed(why: str) -> Exception:
    return refusals.in_use(f"Failed to allocate subnet: {why}.", "SubnetAllocationError")


def _bad(why: str) -> Exception:
    return refusals.bad("subnets", why)
