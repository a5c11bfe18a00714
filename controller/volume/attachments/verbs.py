"""What clients other than the compute service do with attachments: reserve, connect, complete, end."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.db.outbox import changed
from controller.operations.begin import begin
from controller.operations.model import LIVE, Operation
from controller.volume.attachments import legacy, release
from controller.volume.attachments.model import Attachment
from controller.volume.attachments.server import new_attachment, settle
from controller.volume.volumes import lookup, states
from controller.web.caller import Caller
from controller.web.errors import BadRequest, NotFound


def find(session: Session, caller: Caller, attachment_id: str) -> Attachment:
    """An attachment of the caller's project (an administrator: of any). Raises NotFound."""
    attachment = session.get(Attachment, attachment_id, populate_existing=True)
    if attachment is None or not (caller.is_admin or attachment.project_id == caller.own_project):
        raise NotFound(f"Volume attachment could not be found with filter: attachment_id = {attachment_id}.")
    return attachment


def create(session: Session, caller: Caller, values: dict[str, Any]) -> Attachment:
    """Reserves the volume, and shows it at once if a connector is given. Raises NotFound, BadRequest."""
    volume = lookup.find(session, caller, values["volume_id"], lock=True)
    states.require("reserve", volume.status, volume.is_multiattach)
    attachment = new_attachment(volume, values.get("server_id"))
    if values.get("mode") == "ro":
        attachment.mode = "ro"
    session.add(attachment)
    settle(session, volume)
    if values.get("connector"):
        connect(session, caller, attachment.id, values["connector"])
    return attachment


def connect(session: Session, caller: Caller, attachment_id: str, connector: dict[str, Any]) -> Attachment:
    """Shows the volume to the host that the connector describes. Raises NotFound, BadRequest, Conflict."""
    attachment = find(session, caller, attachment_id)
    legacy.require_free(attachment)
    initiator, mode = connector.get("initiator"), connector.get("mode")
    if not isinstance(initiator, str) or not initiator or len(initiator) > 223:
        raise BadRequest("The connector must have an initiator: the host's iSCSI qualified name.")
    volume = lookup.find(session, caller, attachment.volume_id, lock=True)
    if volume.host is None or "error" in volume.status:
        raise BadRequest(f"Invalid volume: volume {volume.id} cannot be connected in status {volume.status}.")
    attachment.connector, attachment.initiator = connector, initiator
    attachment.host = str(connector.get("host") or "")[:255] or None
    attachment.device = str(connector.get("mountpoint") or "").removeprefix("/dev/")[:255] or None
    attachment.mode = mode if mode in ("rw", "ro") else attachment.mode
    attachment.is_export_wanted = True
    if attachment.state == "reserved":
        attachment.state = "attaching"
    changed(session, "attachment", attachment.id)
    settle(session, volume)
    return attachment


def complete(session: Session, caller: Caller, attachment_id: str) -> None:
    """The client has the volume. Raises NotFound, Conflict."""
    attachment = find(session, caller, attachment_id)
    legacy.require_free(attachment)
    volume = lookup.find(session, caller, attachment.volume_id, lock=True)
    attachment.state, attachment.attached_at = "attached", attachment.attached_at or now()
    settle(session, volume)


def end(session: Session, caller: Caller, attachment_id: str) -> list[Attachment]:
    """Ends an attachment, at once or when its export is gone; returns the others of the volume.

    Raises NotFound, and Conflict for one of the compute service.
    """
    attachment = find(session, caller, attachment_id)
    legacy.require_free(attachment)
    volume = lookup.find(session, caller, attachment.volume_id, lock=True)
    others = [a for a in lookup.attachments_of(session, volume.id) if a.id != attachment_id]
    if not attachment.is_export_wanted and attachment.state != "detaching":
        session.delete(attachment)
    else:
        attachment.is_export_wanted, attachment.state = False, "detaching"
        changed(session, "attachment", attachment_id)
        _begin_release(session, attachment, caller)
    settle(session, volume)
    return others


def _begin_release(session: Session, attachment: Attachment, caller: Caller) -> None:
    """Begins to wait for the export to go, unless that is under way."""
    subject = f"volume:{attachment.volume_id}"
    live = session.scalars(
        select(Operation.input).where(
            Operation.subject == subject,
            Operation.kind == release.DEFINITION.kind,
            Operation.state.in_(LIVE),
        )
    )
    if all(given.get("attachment_id") != attachment.id for given in live):
        owner = (attachment.project_id, caller.user_id)
        begin(session, release.DEFINITION, subject, owner, attachment_id=attachment.id)
