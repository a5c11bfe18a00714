"""delete: the host is ordered to forget the volume; the row counts until the host confirmed."""

from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.db.outbox import changed
from controller.operations.begin import begin, supersede
from controller.volume.volumes import lookup, states
from controller.volume.volumes.model import Volume
from controller.volume.volumes.operations import delete as operation
from controller.web.caller import Caller
from controller.web.errors import BadRequest


def delete(session: Session, caller: Caller, volume_id: str, is_forced: bool = False) -> None:
    """Begins to delete a volume of the caller. ``is_forced`` asks for no status.

    Raises NotFound, BadRequest (cinder's InvalidVolume).
    """
    volume = lookup.find(session, caller, volume_id, lock=True)
    attachments = lookup.attachments_of(session, volume_id)
    if any(a.state in ("attached", "detaching") or a.is_export_wanted for a in attachments):
        raise _attached(volume_id)
    if not is_forced and (attachments or not states.allows("delete", volume.status)):
        raise _attached(volume_id)
    for attachment in attachments:
        session.delete(attachment)
    remove(session, volume, caller.user_id)


def remove(session: Session, volume: Volume, user_id: str) -> None:
    """Begins to delete a volume that nothing holds any more: at once where no host has it."""
    subject = f"volume:{volume.id}"
    supersede(session, subject, "The volume is deleted.")
    volume.status, volume.is_removal_wanted, volume.fault = "deleting", True, None
    if volume.host is None:
        mark_deleted(volume)
        return
    changed(session, "volume", volume.id)
    begin(session, operation.DEFINITION, subject, (volume.project_id, user_id))


def mark_deleted(volume: Volume) -> None:
    """The end of a volume."""
    volume.status, volume.is_deleted, volume.deleted_at = "deleted", True, now()


def _attached(volume_id: str) -> BadRequest:
    wanted = " or ".join(states.MOVES["delete"].source)
    return BadRequest(
        f"Invalid volume: Volume {volume_id} status must be {wanted} and it must not be attached: "
        "detach it first.",
        kind="InvalidVolume",
    )
