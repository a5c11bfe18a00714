"""What is special about subnet pools in lists and look-ups."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from controller.network.collection import Kind, Params, Related
from controller.network.rbac import model as rbac
from controller.network.rbac import shared
from controller.network.subnet_pools.fields import SUBNET_POOL
from controller.network.subnet_pools.model import SubnetPool
from controller.network.tags import model as tags
from controller.web import paging


def _related(session: Session, rows: Sequence[Any]) -> Related:
    return {
        "tags": tags.of(session, [row.id for row in rows]),
        "shared_with": shared.related(session, rows),
    }


def _refine(statement: Select[Any], params: Params) -> Select[Any]:
    """Narrows by ``is_default``."""
    return paging.apply_condition(statement, params, "is_default", SubnetPool.default_of.is_not(None))


KIND = Kind(
    name="subnet_pool",
    fields=SUBNET_POOL,
    model=SubnetPool,
    related=_related,
    shared=lambda caller: rbac.granted(SubnetPool.id, caller.own_project),
    refine=_refine,
)
