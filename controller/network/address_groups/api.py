"""The address groups API."""

import abc
from collections.abc import Sequence
from typing import Any

import falcon
from sqlalchemy.orm import Session

from controller.network import collection
from controller.network.address_groups import addresses
from controller.network.address_groups.create import create
from controller.network.address_groups.delete import delete
from controller.network.address_groups.fields import ADDRESSES
from controller.network.address_groups.kind import KIND
from controller.network.address_groups.model import AddressGroup
from controller.network.address_groups.update import update
from controller.network.collection import Collection, Member
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
        return create(session, values)


class AddressGroupMember(Member):
    """``/address-groups/{row_id}``."""

    kind = KIND

    def update(self, session: Session, caller: Caller, row: AddressGroup, values: dict[str, Any]) -> None:
        """Its new name and description."""
        update(session, row, values)

    def delete(self, session: Session, caller: Caller, row: AddressGroup) -> None:
        """Its end."""
        delete(session, row)


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
