"""What is special about address groups in lists and look-ups."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from controller.network.address_groups.fields import ADDRESS_GROUP
from controller.network.address_groups.model import AddressGroup
from controller.network.collection import Kind, Related
from controller.network.rbac import model as rbac
from controller.network.rbac import shared


def _related(session: Session, rows: Sequence[Any]) -> Related:
    return {"shared_with": shared.related(session, rows)}


KIND = Kind(
    name="address_group",
    fields=ADDRESS_GROUP,
    model=AddressGroup,
    related=_related,
    shared=lambda caller: rbac.granted(AddressGroup.id, caller.own_project),
)
