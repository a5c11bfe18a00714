"""/attachments (3.27): volumes shown to hosts that are not ours."""

import time
from typing import Any

import falcon
from sqlalchemy import select

from controller.volume.attachments import server, verbs
from controller.volume.attachments.fields import BRIEF, FIELDS
from controller.volume.attachments.model import Attachment
from controller.volume.versions import require
from controller.volume.volumes import listing
from controller.web import paging, schema
from controller.web.caller import Caller
from controller.web.errors import Conflict
from controller.web.resource import Resource, answer, body_of, no_content, params_of, version_of

#: How long a client waits for its export to stand.
EXPORT_TIMEOUT_S = 20.0
_POLL_S = 0.05
_COMPLETE = schema.compile_schema(
    {
        "type": "object",
        "properties": {"os-complete": {}},
        "required": ["os-complete"],
        "additionalProperties": False,
    }
)


class _Connecting(Resource):
    def _exported(self, caller: Caller, attachment_id: str) -> Attachment:
        """The attachment once its export stands, since the answer must say where. Raises Conflict."""
        deadline = time.monotonic() + EXPORT_TIMEOUT_S
        while True:
            with self.db.read() as session:
                state, fault = server.is_exported(session, attachment_id)
                attachment = verbs.find(session, caller, attachment_id)
            if state == "applied":
                return attachment
            if state == "failed" or time.monotonic() > deadline:
                reason = fault or "the storage host does not answer"
                raise Conflict(f"The volume could not be exported: {reason}. Update the attachment again.")
            time.sleep(_POLL_S)


class Attachments(_Connecting):
    """/attachments"""

    ONLY: tuple[str, ...] = BRIEF

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists, brief."""
        caller = self.allow(req, "volume:attachments:list")
        version = version_of(req)
        require(version, "3.27")
        params = params_of(req)
        page = paging.asked(params, [("created_at", False)], max_limit=1000)
        with self.db.read() as session:
            statement = select(Attachment)
            if not (listing.is_all(params) and caller.is_admin):
                statement = statement.where(Attachment.project_id == caller.own_project)
            if page.marker is not None:
                verbs.find(session, caller, page.marker)
            statement = paging.apply_filters(statement, Attachment, FIELDS, params, version)
            statement = paging.apply_page(session, statement, Attachment, FIELDS, page)
            rows, _ = paging.cut(session.scalars(statement).all(), page)
        answer(resp, FIELDS.many(rows, self.view(req), self.ONLY))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Reserves, and connects if a connector is given."""
        caller = self.allow(req, "volume:attachments:create")
        require(version_of(req), "3.27")
        values = FIELDS.body("create", body_of(req), caller, self.cloud.policy, version_of(req))
        attachment = self.db.write(lambda s: verbs.create(s, caller, values))
        if values.get("connector"):
            attachment = self._exported(caller, attachment.id)
        answer(resp, FIELDS.one(attachment, self.view(req)))


class AttachmentsDetail(Attachments):
    """/attachments/detail"""

    ONLY = ()
    on_post = None  # type: ignore[assignment]


class AttachmentItem(_Connecting):
    """/attachments/{attachment_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, attachment_id: str) -> None:
        """Shows."""
        caller = self.allow(req, "volume:attachments:show")
        require(version_of(req), "3.27")
        with self.db.read() as session:
            attachment = verbs.find(session, caller, attachment_id)
        answer(resp, FIELDS.one(attachment, self.view(req)))

    def on_put(self, req: falcon.Request, resp: falcon.Response, attachment_id: str) -> None:
        """Connects."""
        caller = self.allow(req, "volume:attachments:update")
        require(version_of(req), "3.27")
        values: dict[str, Any] = FIELDS.body(
            "update", body_of(req), caller, self.cloud.policy, version_of(req)
        )
        connector = values.get("connector") or {}
        self.db.write(lambda s: verbs.connect(s, caller, attachment_id, connector))
        answer(resp, FIELDS.one(self._exported(caller, attachment_id), self.view(req)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, attachment_id: str) -> None:
        """Ends it; the answer names the volume's others."""
        caller = self.allow(req, "volume:attachments:delete")
        require(version_of(req), "3.27")
        others = self.db.write(lambda s: verbs.end(s, caller, attachment_id))
        answer(resp, FIELDS.many(others, self.view(req), BRIEF))


class AttachmentAction(Resource):
    """/attachments/{attachment_id}/action"""

    def on_post(self, req: falcon.Request, resp: falcon.Response, attachment_id: str) -> None:
        """os-complete (3.44)."""
        caller = self.allow(req, "volume:attachments:complete")
        require(version_of(req), "3.44")
        _COMPLETE(body_of(req))
        self.db.write(lambda s: verbs.complete(s, caller, attachment_id))
        no_content(resp)
