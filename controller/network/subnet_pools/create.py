"""Making a subnet pool."""

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from controller.identity import projects
from controller.network import limits, refusals
from controller.network.rbac import model as rbac
from controller.network.subnet_pools import check, scope
from controller.network.subnet_pools.model import SubnetPool
from controller.web.caller import Caller


def create(session: Session, caller: Caller, values: dict[str, Any]) -> SubnetPool:
    """A new pool. Raises BadRequest, NotFound, Conflict."""
    projects.lock(session, values["project_id"])
    limits.check(session, values["project_id"], "subnetpool")
    prefixes = check.prefixes(values.pop("prefixes"))
    version = prefixes[0].version
    if scope_id := values["address_scope_id"]:
        scope.lock(session, [scope_id])
        scope.check(session, caller, scope_id, version, prefixes, "")
    is_shared, is_default = values.pop("is_shared"), values.pop("is_default")
    lengths = check.lengths(version, values)
    pool = SubnetPool(
        **{**values, **lengths},
        ip_version=version,
        prefixes=[str(prefix) for prefix in prefixes],
        revision_number=1,
    )
    session.add(pool)
    session.flush()
    if is_default:
        make_default(session, pool)
    if is_shared:
        rbac.open_to_all(session, "subnetpool", pool)
    return pool


def make_default(session: Session, pool: SubnetPool) -> None:
    """Subnets that ask for the default pool are cut from it. Raises BadRequest when there is such a pool already."""
    try:
        with session.begin_nested():
            pool.default_of = pool.ip_version
    except IntegrityError:
        raise refusals.invalid(
            "A default subnetpool for this IP family has already been set. Only one default may exist per "
            "IP family"
        ) from None
