"""/servers/{id}/os-instance-actions: the history of a server, read from its operations."""

from typing import Any

import falcon
from sqlalchemy import select

from controller.compute.servers import lookup
from controller.compute.servers.model import Server
from controller.operations.model import Operation, OperationEvent
from controller.web import paging
from controller.web.caller import Caller
from controller.web.errors import NotFound
from controller.web.fields import Field, Fields, micro_time_text
from controller.web.resource import Resource, answer, params_of, version_of
from controller.web.versions import Version

_V2_58, _V2_62 = Version(2, 58), Version(2, 62)


def _message(row: Any, _view: Any) -> str | None:
    return "Error" if row.state == "failed" else None


FIELDS = Fields(
    "instanceAction",
    "instanceActions",
    [
        Field(name="action"),
        Field(name="instance_uuid", show=lambda row, _: row.subject.partition(":")[2]),
        Field(name="request_id"),
        Field(name="user_id"),
        Field(name="project_id"),
        Field(name="start_time", show=lambda row, _: micro_time_text(row.started_at)),
        Field(name="message", show=_message),
        # 2.58: when it was last touched
        Field(name="updated_at", show=lambda row, _: micro_time_text(row.updated_at), since=_V2_58),
    ],
)


def _event(row: OperationEvent, caller: Caller, version: Version) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "event": row.name,
        "start_time": micro_time_text(row.started_at),
        "finish_time": micro_time_text(row.finished_at),
        "result": row.result,
    }
    if caller.is_admin:
        shown["traceback"] = row.fault
        if version >= _V2_62:
            shown["host"] = ""
    if version >= _V2_62:
        shown["hostId"] = ""
    if version >= Version(2, 84):
        shown["details"] = row.fault
    return shown


class Actions(Resource):
    """All actions, newest first."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, server_id: str) -> None:
        """Lists."""
        caller = self.allow(req, "compute:instance-actions:list")
        with self.db.read() as session:
            _known(session, caller, server_id)
            rows = list(
                session.scalars(
                    select(Operation)
                    .where(Operation.subject == f"server:{server_id}")
                    .order_by(Operation.started_at.desc(), Operation.id)
                )
            )
        if version_of(req) >= _V2_58:
            rows = rows[: paging.counted(params_of(req), "limit")]
        answer(resp, FIELDS.many(rows, self.view(req)))


class Action(Resource):
    """One action with its events."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, server_id: str, request_id: str) -> None:
        """Shows."""
        caller = self.allow(req, "compute:instance-actions:show")
        with self.db.read() as session:
            _known(session, caller, server_id)
            row = session.scalars(
                select(Operation)
                .where(Operation.subject == f"server:{server_id}", Operation.request_id == request_id)
                .limit(1)
            ).one_or_none()
            if row is None:
                raise NotFound(f"Action for request_id {request_id} on instance {server_id} not found.")
            events = list(
                session.scalars(
                    select(OperationEvent)
                    .where(OperationEvent.operation_id == row.id)
                    .order_by(OperationEvent.started_at.desc())
                )
            )
        shown = FIELDS.one(row, self.view(req))
        shown["instanceAction"]["events"] = [_event(e, caller, version_of(req)) for e in events]
        answer(resp, shown)


def _known(session: Any, caller: Caller, server_id: str) -> None:
    """Deleted servers keep their history."""
    statement = select(Server.id).where(Server.id == server_id)
    if not caller.is_admin:
        statement = statement.where(Server.project_id == caller.own_project)
    if session.scalar(statement) is None:
        lookup.find(session, caller, server_id)
