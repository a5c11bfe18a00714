"""Changing a subnet pool: its own values, and prefixes added and removed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import refusals, standard
from controller.network.addresses import Prefix
from controller.network.subnet_pools import check, scope, space
from controller.network.subnet_pools.create import make_default
from controller.network.subnet_pools.model import SubnetPool
from controller.network.subnets.model import Subnet
from controller.web.caller import Caller


def update(session: Session, caller: Caller, pool: SubnetPool, values: dict[str, Any]) -> None:
    """Writes the change. Raises BadRequest, NotFound, Conflict."""
    scope.lock(session, [pool.address_scope_id, values.get("address_scope_id")])
    lock(session, pool)
    scope_id = values.get("address_scope_id", pool.address_scope_id)
    scope.check_owner(session, caller, pool)
    prefixes = pool.networks
    if "prefixes" in values:
        prefixes = check.prefixes(values.pop("prefixes"))
        _check_kept(pool, prefixes)
    is_moved = scope_id != pool.address_scope_id
    if scope_id and (is_moved or prefixes != pool.networks):
        scope.check(session, caller, scope_id, pool.ip_version, prefixes, pool.id)
    if is_moved:
        scope.check_moved(session, pool)
    lengths = {name: getattr(pool, name) for name in _LENGTHS}
    check.lengths(pool.ip_version, {**lengths, **values})
    _be_default(session, pool, values)
    for name, value in values.items():
        setattr(pool, name, value)
    pool.prefixes = [str(prefix) for prefix in prefixes]
    standard.touch(pool)
    session.flush()
    if is_moved:
        tell(session, pool)


_LENGTHS = ("min_prefixlen", "max_prefixlen", "default_prefixlen")


def lock(session: Session, pool: SubnetPool) -> None:
    """Other verbs on the pool stand in line. Raises NotFound."""
    standard.lock_row(session, pool, "subnet pool")


def tell(session: Session, pool: SubnetPool) -> None:
    """The routers of its subnets route by another scope now."""
    networks = select(Subnet.network_id).where(Subnet.subnetpool_id == pool.id).distinct()
    outbox.changed(session, "network", *session.scalars(networks))


def add_prefixes(session: Session, caller: Caller, pool: SubnetPool, given: Sequence[str]) -> None:
    """More space. Raises BadRequest, Conflict."""
    update(session, caller, pool, {"prefixes": [*pool.prefixes, *given]})


def remove_prefixes(session: Session, pool: SubnetPool, given: Sequence[str]) -> None:
    """Less space; what the pool has not is left alone. Raises BadRequest while a subnet has an address of it."""
    lock(session, pool)
    asked = [prefix for prefix in check.prefixes(given) if prefix.version == pool.ip_version]
    going, has = space.ranges(asked), space.ranges(pool.networks)
    if not space.meet(going, has):
        return
    subnets = session.scalars(select(Subnet).where(Subnet.subnetpool_id == pool.id))
    if space.meet(going, space.ranges(subnet.prefix for subnet in subnets)):
        raise _illegal("One or more the prefixes to be removed is in use by a subnet.")
    left = space.as_prefixes(space.without(has, going), pool.ip_version)
    pool.prefixes = [str(prefix) for prefix in left]
    standard.touch(pool)


def _check_kept(pool: SubnetPool, wanted: Sequence[Prefix]) -> None:
    left = space.without(space.ranges(pool.networks), space.ranges(wanted))
    if wanted[0].version != pool.ip_version or left:
        raise _illegal("Existing prefixes must be a subset of the new prefixes")


def _illegal(why: str) -> Exception:
    return refusals.invalid(f"Illegal update to prefixes: {why}.", "IllegalSubnetPoolPrefixUpdate")


def _be_default(session: Session, pool: SubnetPool, values: dict[str, Any]) -> None:
    match values.pop("is_default", None):
        case True if pool.default_of is None:
            make_default(session, pool)
        case False:
            pool.default_of = None
