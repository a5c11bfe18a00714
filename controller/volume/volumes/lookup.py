"""Finding and locking volumes, and what views of them need beside the row."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from controller.volume.attachments.model import Attachment
from controller.volume.types.model import VolumeType
from controller.volume.volumes.model import Volume
from controller.web.caller import Caller
from controller.web.errors import NotFound


def missing(volume_id: str) -> NotFound:
    """The 404 of a volume."""
    return NotFound(f"Volume {volume_id} could not be found.", kind="VolumeNotFound")


def find(session: Session, caller: Caller, volume_id: str, lock: bool = False) -> Volume:
    """A volume of the caller's project (an administrator: of any); locked if it is to change.

    Raises NotFound.
    """
    volume = locked(session, volume_id) if lock else session.get(Volume, volume_id)
    is_visible = volume is not None and (caller.is_admin or volume.project_id == caller.own_project)
    if volume is None or volume.is_deleted or not is_visible:
        raise missing(volume_id)
    return volume


def locked(session: Session, volume_id: str) -> Volume | None:
    """The row, after writing to it: whoever else wants to change it waits. None if it is not there."""
    session.execute(
        update(Volume)
        .where(Volume.id == volume_id)
        .values(generation=Volume.generation + 1, updated_at=Volume.updated_at),
        execution_options={"synchronize_session": False},
    )
    return session.get(Volume, volume_id, populate_existing=True)


def attachments_of(session: Session, volume_id: str) -> list[Attachment]:
    """A volume's attachments, oldest first."""
    return list(
        session.scalars(
            select(Attachment).where(Attachment.volume_id == volume_id).order_by(Attachment.created_at)
        )
    )


def related(session: Session, rows: Sequence[Any]) -> dict[str, Mapping[str, Any]]:
    """What views of these volumes need: "attachments" by volume id, "types" (names) by type id."""
    if not rows:
        return {}
    attached: dict[str, list[Attachment]] = {}
    found = session.execute(
        select(Attachment)
        .where(Attachment.volume_id.in_([r.id for r in rows]), Attachment.attached_at.is_not(None))
        .order_by(Attachment.created_at)
    )
    for (attachment,) in found:
        attached.setdefault(attachment.volume_id, []).append(attachment)
    names = session.execute(
        select(VolumeType.id, VolumeType.name).where(VolumeType.id.in_({r.volume_type_id for r in rows}))
    )
    return {"attachments": attached, "types": {i: name for i, name in names}}
