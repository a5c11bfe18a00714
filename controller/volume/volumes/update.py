"""update: what a user may say of a volume at any time."""

from typing import Any

from sqlalchemy.orm import Session

from controller.db.outbox import changed
from controller.volume.volumes import lookup
from controller.volume.volumes.model import Volume
from controller.web.caller import Caller


def update(session: Session, caller: Caller, volume_id: str, values: dict[str, Any]) -> Volume:
    """Changes name, description or metadata. Raises NotFound."""
    volume = lookup.find(session, caller, volume_id, lock=True)
    for attribute, value in values.items():
        setattr(volume, attribute, (value or {}) if attribute == "meta" else value)
    changed(session, "volume", volume.id)
    session.flush()
    return volume


def set_metadata(
    session: Session, caller: Caller, volume_id: str, given: dict[str, str], is_complete: bool
) -> dict[str, str]:
    """Adds to the metadata, or replaces it (``is_complete``); returns all of it. Raises NotFound."""
    volume = lookup.find(session, caller, volume_id, lock=True)
    volume.meta = dict(given) if is_complete else {**volume.meta, **given}
    return volume.meta
