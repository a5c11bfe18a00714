"""The subnet pools API."""

import abc
from collections.abc import Sequence
from typing import Any

import falcon
from sqlalchemy.orm import Session

from controller.network import collection
from controller.network.collection import Collection, Member
from controller.network.subnet_pools import update as changes
from controller.network.subnet_pools.create import create
from controller.network.subnet_pools.delete import delete
from controller.network.subnet_pools.fields import PREFIXES
from controller.network.subnet_pools.kind import KIND
from controller.network.subnet_pools.model import SubnetPool
from controller.network.subnet_pools.onboard import onboard
from controller.web import schema
from controller.web.caller import Caller
from controller.web.resource import Resource, answer, body_of

_PREFIXES = schema.compile_schema(
    {
        "type": "object",
        "properties": {"prefixes": {**PREFIXES, "minItems": 1}},
        "required": ["prefixes"],
        "additionalProperties": False,
    }
)
_NETWORK = schema.compile_schema(
    {
        "type": "object",
        "properties": {"network_id": schema.UUID},
        "required": ["network_id"],
        "additionalProperties": False,
    }
)


class SubnetPools(Collection):
    """``/subnetpools``."""

    kind = KIND

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> SubnetPool:
        """A pool."""
        return create(session, caller, values)


class SubnetPoolMember(Member):
    """``/subnetpools/{row_id}``."""

    kind = KIND

    def update(self, session: Session, caller: Caller, row: SubnetPool, values: dict[str, Any]) -> None:
        """Its new values."""
        changes.update(session, caller, row, values)

    def delete(self, session: Session, caller: Caller, row: SubnetPool) -> None:
        """Its end."""
        delete(session, row)


class _Prefixes(Resource, abc.ABC):
    """A change of the prefixes of a pool, which names some."""

    @abc.abstractmethod
    def change(self, session: Session, caller: Caller, pool: SubnetPool, given: Sequence[str]) -> None:
        """Writes it."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Adds, or removes, and says what is there then."""
        caller = self.allow(req, "network:subnet_pool:update")
        given = _PREFIXES(body_of(req))["prefixes"]

        def write(session: Session) -> list[str]:
            pool: SubnetPool = collection.owned(session, KIND, caller, row_id, "update")
            self.change(session, caller, pool, given)
            return pool.prefixes

        answer(resp, {"prefixes": self.db.write(write)})


class SubnetPoolAddPrefixes(_Prefixes):
    """``/subnetpools/{row_id}/add_prefixes``."""

    def change(self, session: Session, caller: Caller, pool: SubnetPool, given: Sequence[str]) -> None:
        """More space."""
        changes.add_prefixes(session, caller, pool, given)


class SubnetPoolRemovePrefixes(_Prefixes):
    """``/subnetpools/{row_id}/remove_prefixes``."""

    def change(self, session: Session, caller: Caller, pool: SubnetPool, given: Sequence[str]) -> None:
        """Less space."""
        changes.remove_prefixes(session, pool, given)


class SubnetPoolOnboard(Resource):
    """``/subnetpools/{row_id}/onboard_network_subnets``."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Takes the subnets of a network in, and says which they are."""
        caller = self.allow(req, "network:subnet_pool:update")
        network_id = _NETWORK(body_of(req))["network_id"]

        def write(session: Session) -> list[dict[str, str]]:
            pool: SubnetPool = collection.owned(session, KIND, caller, row_id, "update")
            taken = onboard(session, caller, pool, network_id)
            return [{"id": subnet.id, "cidr": subnet.cidr} for subnet in taken]

        answer(resp, self.db.write(write))
