"""reset_status: an administrator says what is so. The rows follow; hosts are told nothing, and
operations under way end as they would, but move no volume that is in another status."""

from sqlalchemy.orm import Session

from controller.volume.volumes import lookup, states
from controller.web.caller import Caller
from controller.web.errors import BadRequest

#: What an administrator may say of attachments.
ATTACH_STATUSES = ("attached", "detached")
#: What an administrator may say of a migration; "none" for none.
MIGRATION_STATUSES = ("migrating", "error", "success", "completing", "none", "starting")


def reset_status(session: Session, caller: Caller, volume_id: str, given: dict[str, str | None]) -> None:
    """Sets status, attach_status and migration_status as far as they are given.

    "detached" ends attachments that no server and no export stand behind. Raises NotFound, BadRequest.
    """
    volume = lookup.find(session, caller, volume_id, lock=True)
    attachments = lookup.attachments_of(session, volume_id)
    status = (given.get("status") or "").lower()
    if volume.is_removal_wanted:
        raise BadRequest("The volume is being removed from its host: delete it.")
    if status == "in-use" and not attachments:
        raise BadRequest("Cannot reset-state to in-use because volume does not have any attachments.")
    if status and status not in states.RESETTABLE:
        raise BadRequest(f"Cannot reset-state to {status}.")
    if (given.get("attach_status") or "").lower() == "detached":
        for attachment in attachments:
            if attachment.is_of_compute or attachment.is_export_wanted:
                raise BadRequest(f"Volume {volume_id} is attached: detach it from its server.")
            session.delete(attachment)
    if status:
        volume.status = status
    if given.get("migration_status"):
        word = str(given["migration_status"]).lower()
        volume.migration_status = None if word == "none" else word
