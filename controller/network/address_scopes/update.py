"""Changing an address scope."""

from typing import Any

from sqlalchemy.orm import Session

from controller.network import refusals, standard
from controller.network.address_scopes.model import AddressScope
from controller.network.rbac import model as rbac
from controller.web.caller import Caller


def update(session: Session, caller: Caller, scope: AddressScope, values: dict[str, Any]) -> None:
    """Writes the change; a scope that is shared stays so. Raises BadRequest, NotFound."""
    standard.lock_row(session, scope, "address scope")
    match values.pop("is_shared", None):
        case True:
            rbac.open_to_all(session, "address_scope", scope)
        case False if rbac.is_granted(session, scope.id, caller.own_project):
            raise refusals.invalid(
                f"Unable to update address scope {scope.id} : Shared address scope can't be unshared.",
                "AddressScopeUpdateError",
            )
    for name, value in values.items():
        setattr(scope, name, value)
