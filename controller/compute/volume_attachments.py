"""/servers/{id}/os-volume_attachments: volumes of a server."""

from typing import Any

import falcon
from sqlalchemy.orm import Session

from controller.compute.servers import lookup, states
from controller.compute.servers.operations import volumes as operations
from controller.compute.servers.power import unlocked
from controller.operations.begin import begin
from controller.volume.attachments import server as server_volumes
from controller.web import paging, schema
from controller.web.caller import Caller
from controller.web.errors import BadRequest, NotFound
from controller.web.fields import Field, Fields
from controller.web.resource import Resource, answer, body_of, no_content, params_of, version_of
from controller.web.versions import Version

FIELDS = Fields(
    "volumeAttachment",
    "volumeAttachments",
    [
        # until 2.88 id is the volume's; since 2.89 the attachment has its own
        Field(name="id", attr="volume_id", until=Version(2, 88)),
        Field(name="volumeId", attr="volume_id", schema=schema.UUID, create=True, required=True),
        Field(name="serverId", attr="server_id"),
        Field(
            name="device",
            show=lambda row, _: f"/dev/{row.device}" if row.device else None,
            schema=schema.nullable({"type": "string", "pattern": r"^(/dev/)?[a-z]{1,4}$"}),
            create=True,
        ),
        # 2.49: tag; shown since 2.70
        Field(
            name="tag",
            schema={"type": "string", "minLength": 1, "maxLength": 60, "pattern": r"^[^,/]*$"},
            create=True,
            since=Version(2, 70),
            create_since=Version(2, 49),
        ),
        # 2.79: whether the volume goes with the server
        Field(
            name="delete_on_termination",
            schema=schema.LOOSE_BOOLEAN,
            create=True,
            store=schema.as_bool,
            since=Version(2, 79),
        ),
        # 2.89
        Field(name="attachment_id", attr="id", since=Version(2, 89)),
        Field(name="bdm_uuid", attr="id", since=Version(2, 89)),
    ],
)


def attach(session: Session, caller: Caller, server_id: str, values: dict[str, Any]) -> Any:
    """Reserves the volume for the server and begins to attach it. Raises NotFound, BadRequest, Conflict."""
    server = unlocked(session, caller, server_id)
    states.require(server_id, "attach_volume", server.state, server.task)
    device = (values.get("device") or "").removeprefix("/dev/") or None
    attachment = server_volumes.reserve(
        session,
        server.project_id,
        values["volume_id"],
        server_id,
        device,
        delete_on_termination=bool(values.get("delete_on_termination", False)),
        tag=values.get("tag"),
    )
    begin(
        session,
        operations.ATTACH,
        f"server:{server_id}",
        (server.project_id, caller.user_id),
        attachment_id=attachment.id,
        volume_id=values["volume_id"],
    )
    return attachment


def detach(session: Session, caller: Caller, server_id: str, volume_id: str) -> None:
    """Begins to detach a volume. Raises NotFound, BadRequest, Conflict."""
    server = unlocked(session, caller, server_id)
    attachment = server_volumes.by_volume(session, server_id, volume_id)
    if attachment is None:
        raise NotFound(f"volume_id not found: {volume_id}: it is not attached to the instance.")
    states.require(server_id, "detach_volume", server.state, server.task)
    if attachment.boot_index == 0:
        raise BadRequest("Cannot detach a root device volume.")
    server_volumes.begin_detach(session, attachment.id)
    begin(
        session,
        operations.DETACH,
        f"server:{server_id}",
        (server.project_id, caller.user_id),
        attachment_id=attachment.id,
        volume_id=volume_id,
    )


class Attachments(Resource):
    """All of a server."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, server_id: str) -> None:
        """Lists."""
        caller = self.allow(req, "compute:volume-attachments:list")
        params = params_of(req)
        with self.db.read() as session:
            lookup.find(session, caller, server_id)
            rows = server_volumes.of_servers(session, [server_id]).get(server_id, [])
        first = _number(params, "offset", 0)
        limit = _number(params, "limit", 1000)
        answer(resp, FIELDS.many(rows[first : first + limit], self.view(req)))

    def on_post(self, req: falcon.Request, resp: falcon.Response, server_id: str) -> None:
        """Attaches."""
        caller = self.allow(req, "compute:volume-attachments:create")
        values = FIELDS.body("create", body_of(req), caller, self.cloud.policy, version_of(req))
        attachment = self.db.write(lambda s: attach(s, caller, server_id, values))
        answer(resp, FIELDS.one(attachment, self.view(req)))


class Attachment(Resource):
    """One, named by its volume."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, server_id: str, volume_id: str) -> None:
        """Shows."""
        caller = self.allow(req, "compute:volume-attachments:show")
        with self.db.read() as session:
            lookup.find(session, caller, server_id)
            attachment = server_volumes.by_volume(session, server_id, volume_id)
        if attachment is None:
            raise NotFound(f"volume_id not found: {volume_id}")
        answer(resp, FIELDS.one(attachment, self.view(req)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, server_id: str, volume_id: str) -> None:
        """Begins to detach."""
        caller = self.allow(req, "compute:volume-attachments:delete")
        self.db.write(lambda s: detach(s, caller, server_id, volume_id))
        no_content(resp, 202)


def _number(params: dict[str, list[str]], name: str, default: int) -> int:
    found = paging.counted(params, name)
    return default if found is None else found
