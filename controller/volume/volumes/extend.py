"""extend: a volume gets bigger. Its guest would not see that, so it must be detached."""

from sqlalchemy.orm import Session

from controller.db.outbox import changed
from controller.identity.projects import lock
from controller.operations.begin import begin
from controller.volume.types.model import VolumeType
from controller.volume.volumes import lookup, quota, states
from controller.volume.volumes.operations import extend as operation
from controller.web.caller import Caller
from controller.web.errors import BadRequest


def extend(session: Session, caller: Caller, volume_id: str, size_gib: int) -> None:
    """Begins to extend to ``size_gib``. Raises NotFound, BadRequest, TooLarge (quota)."""
    project_id = lookup.find(session, caller, volume_id).project_id
    lock(session, project_id)
    volume = lookup.find(session, caller, volume_id, lock=True)
    if size_gib <= volume.size_gib:
        raise BadRequest(
            "Invalid input received: New size for extend must be greater than current size. "
            f"(current: {volume.size_gib}, extended: {size_gib}).",
        )
    states.require("extend", volume.status)
    volume_type = session.get(VolumeType, volume.volume_type_id)
    quota.check_size(session, project_id, size_gib)
    if volume_type is not None:
        quota.check(session, project_id, volume_type, 0, size_gib - volume.wanted_gib)
    volume.status, volume.wanted_gib = states.MOVES["extend"].target, size_gib
    changed(session, "volume", volume.id)
    begin(session, operation.DEFINITION, f"volume:{volume.id}", (project_id, caller.user_id))
