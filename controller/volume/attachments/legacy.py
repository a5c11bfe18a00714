"""Attachments of the old kind: words about a volume that some client uses by means of its own.

Nothing is exported for them. What the compute service attached is never touched from here: a volume that
vanishes under a guest, or stays reachable for a former one, is what CVE-2023-2088 was.
"""

from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.volume.attachments.model import Attachment
from controller.volume.attachments.server import new_attachment, settle
from controller.volume.volumes import lookup, states
from controller.volume.volumes.model import Volume
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Conflict


def require_free(attachment: Attachment) -> None:
    """Raises Conflict for an attachment that the compute service made."""
    if attachment.is_of_compute:
        raise Conflict(
            f"Detach volume from instance {attachment.server_id} using the Compute API.",
            kind="ConflictNovaUsingAttachment",
        )


def reserve(session: Session, caller: Caller, volume_id: str) -> None:
    """Marks the volume as taken, without an attachment."""
    volume = lookup.find(session, caller, volume_id, lock=True)
    states.require("reserve", volume.status, volume.is_multiattach)
    volume.status = "attaching"


def unreserve(session: Session, caller: Caller, volume_id: str) -> None:
    """Takes that back; nothing happens to a volume that is not reserved so."""
    volume = lookup.find(session, caller, volume_id, lock=True)
    if volume.status == "attaching" and not _of_compute(session, volume):
        settle(session, volume)


def attach(session: Session, caller: Caller, volume_id: str, given: dict[str, str]) -> None:
    """Notes that the volume is attached. Raises NotFound, BadRequest."""
    volume = lookup.find(session, caller, volume_id, lock=True)
    if _of_compute(session, volume) and not volume.is_multiattach:
        raise BadRequest(f"Invalid volume: Volume {volume_id} is attached by the compute service already.")
    states.require("attach", volume.status, volume.is_multiattach)
    mode = given.get("mode", "rw")
    if volume.is_read_only and mode != "ro":
        raise BadRequest(f"Invalid attaching mode '{mode}' for volume {volume_id}: it is read-only.")
    attachment = new_attachment(volume, given.get("instance_uuid"))
    attachment.mode, attachment.host = mode, given.get("host_name")
    attachment.device = given["mountpoint"].removeprefix("/dev/")
    attachment.state, attachment.attached_at = "attached", now()
    volume.is_read_only = bool(volume.is_read_only)
    session.add(attachment)
    settle(session, volume)


def detach(session: Session, caller: Caller, volume_id: str, attachment_id: str | None) -> None:
    """Forgets an attachment: the only one, or the one that is named.

    Raises NotFound, BadRequest, and Conflict for one of the compute service.
    """
    volume = lookup.find(session, caller, volume_id, lock=True)
    attached = [a for a in lookup.attachments_of(session, volume_id) if attachment_id in (None, a.id)]
    for attachment in attached:
        require_free(attachment)
    if not attached and attachment_id is not None:
        raise BadRequest(f"Volume {volume_id} has no attachment {attachment_id}.")
    if len(attached) > 1:
        raise BadRequest("Detach volume failed: More than one attachment, but no attachment_id provided.")
    for attachment in attached:
        if attachment.is_export_wanted:
            raise BadRequest(f"Attachment {attachment.id} is connected: delete it by the attachments API.")
        session.delete(attachment)
    if attached or volume.status in ("attaching", "detaching", "in-use"):
        settle(session, volume)


def begin_detaching(session: Session, caller: Caller, volume_id: str) -> None:
    """Marks an attached volume as leaving."""
    volume = lookup.find(session, caller, volume_id, lock=True)
    for attachment in lookup.attachments_of(session, volume_id):
        require_free(attachment)
    states.require("begin detaching", volume.status)
    volume.status = "detaching"


def roll_detaching(session: Session, caller: Caller, volume_id: str) -> None:
    """Takes that back; nothing happens to a volume that is not leaving."""
    volume = lookup.find(session, caller, volume_id, lock=True)
    if volume.status == "detaching" and not _of_compute(session, volume):
        volume.status = "in-use"


def terminate_connection(session: Session, caller: Caller, volume_id: str) -> None:
    """Nothing is connected by this API, so nothing is to be cut; a reservation ends."""
    volume = lookup.find(session, caller, volume_id, lock=True)
    for attachment in lookup.attachments_of(session, volume_id):
        require_free(attachment)
    if volume.status == "attaching":
        settle(session, volume)


def _of_compute(session: Session, volume: Volume) -> bool:
    return any(a.is_of_compute for a in lookup.attachments_of(session, volume.id))
