"""What is special about address scopes in lists and look-ups."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from controller.network.address_scopes.fields import ADDRESS_SCOPE
from controller.network.address_scopes.model import AddressScope
from controller.network.collection import Kind, Related
from controller.network.rbac import model as rbac
from controller.network.rbac import shared


def _related(session: Session, rows: Sequence[Any]) -> Related:
    return {"shared_with": shared.related(session, rows)}


KIND = Kind(
    name="address_scope",
    fields=ADDRESS_SCOPE,
    model=AddressScope,
    related=_related,
    shared=lambda caller: rbac.granted(AddressScope.id, caller.own_project),
)
