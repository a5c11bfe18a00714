"""The trunks API. What changes subports answers with the trunk without an envelope, as the original does."""

import abc
from typing import Any

import falcon
from sqlalchemy.orm import Session

from controller.network import collection
from controller.network.collection import Collection, Member, Related
from controller.network.trunks import trunks
from controller.network.trunks.fields import SUB_PORTS
from controller.network.trunks.kind import KIND
from controller.network.trunks.model import Trunk
from controller.web import schema
from controller.web.caller import Caller
from controller.web.resource import Resource, answer, body_of

_BODY = schema.compile_schema(
    {
        "type": "object",
        "properties": {"sub_ports": SUB_PORTS},
        "required": ["sub_ports"],
        "additionalProperties": False,
    }
)


class Trunks(Collection):
    """``/trunks``."""

    kind = KIND

    def create(self, session: Session, caller: Caller, values: dict[str, Any]) -> Trunk:
        """A trunk."""
        return trunks.create(session, caller, values)


class TrunkMember(Member):
    """``/trunks/{row_id}``."""

    kind = KIND

    def update(self, session: Session, caller: Caller, row: Trunk, values: dict[str, Any]) -> None:
        """Its new values."""
        trunks.update(session, row, values)

    def delete(self, session: Session, caller: Caller, row: Trunk) -> None:
        """Its end."""
        trunks.delete(session, row)


class TrunkSubPorts(Resource):
    """``/trunks/{row_id}/get_subports``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Lists them."""
        caller = self.allow(req, "network:trunk:show")
        with self.db.read() as session:
            related = KIND.related(session, [collection.find(session, KIND, caller, row_id)])
        answer(resp, {"sub_ports": related["sub_ports"].get(row_id, [])})


class _Change(Resource, abc.ABC):
    """A change of a trunk's subports."""

    @abc.abstractmethod
    def change(self, session: Session, caller: Caller, trunk: Trunk, asked: list[dict[str, Any]]) -> None:
        """Writes it."""

    def on_put(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """Takes ports in, or out."""
        caller = self.allow(req, "network:trunk:subports")
        asked = _BODY(body_of(req))["sub_ports"]

        def write(session: Session) -> tuple[Trunk, Related]:
            trunk = collection.owned(session, KIND, caller, row_id, "update")
            self.change(session, caller, trunk, asked)
            session.flush()
            return trunk, KIND.related(session, [trunk])

        trunk, related = self.db.write(write)
        answer(resp, KIND.fields.view(trunk, self.view(req, related)))


class TrunkAddSubPorts(_Change):
    """``/trunks/{row_id}/add_subports``."""

    def change(self, session: Session, caller: Caller, trunk: Trunk, asked: list[dict[str, Any]]) -> None:
        """Takes ports in."""
        trunks.add_subports(session, caller, trunk, asked)


class TrunkRemoveSubPorts(_Change):
    """``/trunks/{row_id}/remove_subports``."""

    def change(self, session: Session, caller: Caller, trunk: Trunk, asked: list[dict[str, Any]]) -> None:
        """Takes ports out."""
        trunks.remove_subports(session, trunk, asked)
