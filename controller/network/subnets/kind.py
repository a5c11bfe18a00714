"""What is special about subnets in lists and look-ups."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from controller.network.collection import Kind, Related
from controller.network.rbac import model as rbac
from controller.network.subnets.fields import SUBNET
from controller.network.subnets.model import Subnet
from controller.network.tags import model as tags


def _related(session: Session, rows: Sequence[Any]) -> Related:
    return {"tags": tags.of(session, [row.id for row in rows])}


KIND = Kind(
    name="subnet",
    fields=SUBNET,
    model=Subnet,
    related=_related,
    shared=lambda caller: rbac.granted(Subnet.network_id, caller.own_project),
)
