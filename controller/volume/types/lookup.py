"""Finding volume types that a caller may use."""

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from controller.volume.types.model import DEFAULT_TYPE, VolumeType, VolumeTypeAccess
from controller.web.caller import Caller
from controller.web.errors import NotFound


def visible(caller: Caller) -> Select[tuple[VolumeType]]:
    """Types that the caller may use: public ones, and those that his project was given; an
    administrator all."""
    statement = select(VolumeType).where(~VolumeType.is_deleted)
    if caller.is_admin:
        return statement
    given = select(VolumeTypeAccess.volume_type_id).where(VolumeTypeAccess.project_id == caller.own_project)
    return statement.where(or_(VolumeType.is_public, VolumeType.id.in_(given)))


def find(session: Session, caller: Caller, type_id: str) -> VolumeType:
    """By id; "default" is the default type. Raises NotFound."""
    if type_id == "default":
        return default(session)
    found = session.scalars(visible(caller).where(VolumeType.id == type_id)).one_or_none()
    if found is None:
        raise NotFound(f"Volume type {type_id} could not be found.")
    return found


def named(session: Session, caller: Caller, reference: str | None) -> VolumeType:
    """By id or name, the default type for none. Raises NotFound."""
    if not reference:
        return default(session)
    either = or_(VolumeType.id == reference, VolumeType.name == reference)
    found = session.scalars(visible(caller).where(either)).first()
    if found is None:
        raise NotFound(f"Volume type with name {reference} could not be found.")
    return found


def default(session: Session) -> VolumeType:
    """The type of volumes that are made without naming one. Raises NotFound before bootstrap."""
    found = session.scalars(
        select(VolumeType).where(VolumeType.name == DEFAULT_TYPE, ~VolumeType.is_deleted)
    ).first()
    if found is None:
        raise NotFound("Default volume type can not be found: run 'controller-manage bootstrap'.")
    return found
