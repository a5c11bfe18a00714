"""The address groups API, and its verbs."""

import abc
from collections.abc import Sequence
from typing import Any

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.identity import projects
from controller.network import collection, refusals, standard
from controller.network.address_groups import addresses
from controller.network.address_groups.fields import ADDRESSES
from controller.network.address_groups.kind import KIND
from controller.network.address_groups.model import AddressGroup
from controller.network.collection import Collection, Member
from controller.network.rbac import model as rbac
from controller.network.security_groups import default_rules
from controller.network.security_groups.model import SecurityGroupRule
from controller.web import schema
from controller.web.caller import Caller
from controller.web.resource import Resource, answer, body_of

_CHECK = schema.compile_schema(
    {
        "type": "object",
        "properties": {"addresses": {**ADDRESSES, "type": "array"}},
        "required": ["addresses"],
        "additionalProperties": False,
    }
)


class AddressGroups(Collection):
    """``/address-groups``."""

    kind = KIND

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> AddressGroup:
        """A group."""
        projects.lock(session, values["project_id"])
        values["addresses"] = addresses.normal(values["addresses"])
        group = AddressGroup(**values, revision_number=1)
        session.add(group)
        return group


class AddressGroupMember(Member):
    """``/address-groups/{row_id}``."""

    kind = KIND

    def update(self, session: Session, caller: Caller, row: AddressGroup, values: dict[str, Any]) -> None:
        """Its new name and description."""
        standard.lock(session, AddressGroup, [row.id])
        for name, value in values.items():
            setattr(row, name, value)
        standard.touch(row)

    def delete(self, session: Session, caller: Caller, row: AddressGroup) -> None:
        """Its end. Raises Conflict while rules name it."""
        standard.lock(session, AddressGroup, [row.id])
        naming = select(SecurityGroupRule.id).where(SecurityGroupRule.remote_address_group_id == row.id)
        if session.scalar(naming.limit(1)) or default_rules.names_address_group(session, row.id):
            raise refusals.in_use(
                f"Address group {row.id} is in use on one or more security group rules.", "AddressGroupInUse"
            )
        rbac.forget(session, row.id)
        session.delete(row)
        outbox.changed(session, "address_group", row.id)


class _Change(Resource, abc.ABC):
    """A change of a group's addresses."""

    @abc.abstractmethod
    def change(self, session: Session, group: AddressGroup, given: Sequence[str]) -> None:
        """Writes it."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """The group as it is after it."""
        caller = self.allow(req, "network:address_group:update")
        given = _CHECK(body_of(req))["addresses"]

        def write(session: Session) -> tuple[AddressGroup, collection.Related]:
            group = collection.owned(session, KIND, caller, row_id, "update")
            self.change(session, group, given)
            return group, KIND.related(session, [group])

        group, related = self.db.write(write)
        answer(resp, KIND.fields.one(group, self.view(req, related)))


class AddressGroupAdd(_Change):
    """``/address-groups/{row_id}/add_addresses``."""

    def change(self, session: Session, group: AddressGroup, given: Sequence[str]) -> None:
        """Adds them."""
        addresses.add(session, group, given)


class AddressGroupRemove(_Change):
    """``/address-groups/{row_id}/remove_addresses``."""

    def change(self, session: Session, group: AddressGroup, given: Sequence[str]) -> None:
        """Removes them."""
        addresses.remove(session, group, given)
