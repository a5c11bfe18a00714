"""The address scopes API, and its verbs."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.identity import projects
from controller.network import refusals, standard
from controller.network.address_scopes.kind import KIND
from controller.network.address_scopes.model import AddressScope
from controller.network.collection import Collection, Member
from controller.network.rbac import model as rbac
from controller.network.subnet_pools.model import SubnetPool
from controller.web.caller import Caller


class AddressScopes(Collection):
    """``/address-scopes``."""

    kind = KIND

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> AddressScope:
        """A scope."""
        projects.lock(session, values["project_id"])
        is_shared = values.pop("is_shared")
        scope = AddressScope(**values)
        session.add(scope)
        session.flush()
        if is_shared:
            rbac.open_to_all(session, "address_scope", scope)
        return scope


class AddressScopeMember(Member):
    """``/address-scopes/{row_id}``."""

    kind = KIND

    def update(self, session: Session, caller: Caller, row: AddressScope, values: dict[str, Any]) -> None:
        """Its new values; one that is shared stays so."""
        standard.lock(session, AddressScope, [row.id])
        match values.pop("is_shared", None):
            case True:
                rbac.open_to_all(session, "address_scope", row)
            case False if rbac.is_granted(session, row.id, caller.own_project):
                raise refusals.invalid(
                    f"Unable to update address scope {row.id} : Shared address scope can't be unshared.",
                    "AddressScopeUpdateError",
                )
        for name, value in values.items():
            setattr(row, name, value)

    def delete(self, session: Session, caller: Caller, row: AddressScope) -> None:
        """Its end. Raises Conflict while pools are in it."""
        standard.lock(session, AddressScope, [row.id])
        pools = select(SubnetPool.id).where(SubnetPool.address_scope_id == row.id)
        if session.scalar(pools.limit(1)):
            raise refusals.in_use(
                f"Unable to complete operation on address scope {row.id}. There are one or more subnet pools "
                "in use on the address scope.",
                "AddressScopeInUse",
            )
        rbac.forget(session, row.id)
        session.delete(row)
