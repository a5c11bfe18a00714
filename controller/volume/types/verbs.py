"""What administrators do with volume types."""

from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db.columns import new_uuid, now
from controller.volume.types import lookup
from controller.volume.types.model import DEFAULT_TYPE, VolumeType, VolumeTypeAccess
from controller.volume.volumes.model import Volume
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Conflict, NotFound


def create(session: Session, values: dict[str, Any]) -> VolumeType:
    """Writes a new type. Raises Conflict when the name is taken."""
    _require_free(session, values["name"])
    volume_type = VolumeType(id=new_uuid(), **values)
    session.add(volume_type)
    session.flush()
    return volume_type


def update(session: Session, caller: Caller, type_id: str, values: dict[str, Any]) -> VolumeType:
    """Changes name, description or whether it is public. Raises NotFound, Conflict."""
    volume_type = lookup.find(session, caller, type_id)
    if "name" in values and values["name"] != volume_type.name:
        _require_free(session, values["name"])
    for attribute, value in values.items():
        setattr(volume_type, attribute, value)
    session.flush()
    return volume_type


def delete(session: Session, caller: Caller, type_id: str) -> None:
    """Deletes a type that no volume has. Raises NotFound, BadRequest."""
    volume_type = lookup.find(session, caller, type_id)
    if volume_type.name == DEFAULT_TYPE:
        raise BadRequest(f"The volume type {type_id} is a default volume type and cannot be deleted.")
    if _is_used(session, volume_type.id):
        raise BadRequest("Target volume type is still in use: delete its volumes first.")
    volume_type.is_deleted, volume_type.deleted_at = True, now()
    session.execute(delete_from(VolumeTypeAccess).where(VolumeTypeAccess.volume_type_id == volume_type.id))


def set_specs(session: Session, caller: Caller, type_id: str, given: dict[str, Any]) -> None:
    """Adds or changes extra specs of a type that no volume has. Raises NotFound, BadRequest."""
    volume_type = _changeable(session, caller, type_id)
    volume_type.extra_specs = {**volume_type.extra_specs, **given}


def remove_spec(session: Session, caller: Caller, type_id: str, key: str) -> None:
    """Takes one extra spec away. Raises NotFound, BadRequest."""
    volume_type = _changeable(session, caller, type_id)
    if key not in volume_type.extra_specs:
        raise NotFound(f"Volume Type {type_id} has no extra specs with key {key}.")
    volume_type.extra_specs = {k: value for k, value in volume_type.extra_specs.items() if k != key}


def projects(session: Session, caller: Caller, type_id: str) -> list[str]:
    """Who may use a type that is not public. Raises NotFound also for a public one."""
    volume_type = lookup.find(session, caller, type_id)
    if volume_type.is_public:
        raise NotFound("Access list not available for public volume types.")
    statement = select(VolumeTypeAccess.project_id).where(VolumeTypeAccess.volume_type_id == type_id)
    return list(session.scalars(statement.order_by(VolumeTypeAccess.project_id)))


def give(session: Session, caller: Caller, type_id: str, project_id: str) -> None:
    """Lets a project use the type. Raises NotFound, BadRequest, Conflict."""
    volume_type = lookup.find(session, caller, type_id)
    if volume_type.is_public:
        raise BadRequest("Type access modification is not applicable to public volume type.")
    if session.get(VolumeTypeAccess, (type_id, project_id)) is not None:
        raise Conflict(f"Volume type access for {type_id} / {project_id} combination already exists.")
    session.add(VolumeTypeAccess(volume_type_id=type_id, project_id=project_id))


def take(session: Session, caller: Caller, type_id: str, project_id: str) -> None:
    """Takes that back. Raises NotFound, BadRequest."""
    volume_type = lookup.find(session, caller, type_id)
    if volume_type.is_public:
        raise BadRequest("Type access modification is not applicable to public volume type.")
    row = session.get(VolumeTypeAccess, (type_id, project_id))
    if row is None:
        raise NotFound(f"Volume type access not found for {type_id} / {project_id} combination.")
    session.delete(row)


def _changeable(session: Session, caller: Caller, type_id: str) -> VolumeType:
    volume_type = lookup.find(session, caller, type_id)
    if _is_used(session, volume_type.id):
        raise BadRequest("Volume Type is currently in use: its extra specs cannot change.")
    return volume_type


def _is_used(session: Session, type_id: str) -> bool:
    statement = select(Volume.id).where(Volume.volume_type_id == type_id, ~Volume.is_deleted)
    return session.scalar(statement.limit(1)) is not None


def _require_free(session: Session, name: str) -> None:
    statement = select(VolumeType.id).where(VolumeType.name == name, ~VolumeType.is_deleted)
    if session.scalar(statement.limit(1)) is not None:
        raise Conflict(f"Volume Type {name} already exists: choose another name.")
