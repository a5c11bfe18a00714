"""What is special about networks in lists and look-ups."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from controller.network import options
from controller.network.collection import Kind, Params, Related
from controller.network.networks.fields import NETWORK
from controller.network.networks.model import Network
from controller.network.rbac import model as rbac
from controller.network.rbac import shared
from controller.network.subnet_pools.model import SubnetPool
from controller.network.subnets.model import Subnet
from controller.network.tags import model as tags
from controller.web import paging


def _related(session: Session, rows: Sequence[Any]) -> Related:
    ids = [row.id for row in rows]
    subnets: dict[str, list[str]] = {}
    scopes: dict[str, dict[int, str]] = {}
    statement = (
        select(Subnet.network_id, Subnet.id, Subnet.ip_version, SubnetPool.address_scope_id)
        .outerjoin(SubnetPool, SubnetPool.id == Subnet.subnetpool_id)
        .where(Subnet.network_id.in_(ids))
        .order_by(Subnet.created_at)
    )
    for network_id, subnet_id, ip_version, scope_id in session.execute(statement):
        subnets.setdefault(network_id, []).append(subnet_id)
        if scope_id:
            scopes.setdefault(network_id, {})[ip_version] = scope_id
    return {
        "subnets": subnets,
        "scopes": scopes,
        "tags": tags.of(session, ids),
        "shared_with": shared.related(session, rows),
        "options": {"zones": [options.settings().availability_zone]},
    }


def _refine(statement: Select[Any], params: Params) -> Select[Any]:
    """Narrows by ``is_default``."""
    return paging.apply_condition(statement, params, "is_default", Network.is_default.is_not(None))


KIND = Kind(
    name="network",
    fields=NETWORK,
    model=Network,
    related=_related,
    refine=_refine,
    shared=lambda caller: rbac.granted(Network.id, caller.own_project, *rbac.ANY),
)
