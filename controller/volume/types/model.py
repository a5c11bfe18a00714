"""Volume types as rows, who may use them, and the type that every cloud has."""

import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db.columns import Base, Id, Timestamps, UtcDateTime, new_uuid

#: Name of the type of volumes that are made without naming one.
DEFAULT_TYPE = "__DEFAULT__"


class VolumeType(Base, Timestamps):
    """One type; names are unique among types that are not deleted. ``extra_specs`` are wishes to the
    scheduler (volume_backend_name) and properties of volumes (multiattach)."""

    __tablename__ = "volume_types"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255), index=True)
    description: Mapped[str | None] = mapped_column(String(255))
    is_public: Mapped[bool] = mapped_column(default=True)
    extra_specs: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    is_deleted: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)

    @property
    def is_multiattach(self) -> bool:
        """Whether several servers may have a volume of this type at once."""
        return bool(self.extra_specs.get("multiattach") == "<is> True")


class VolumeTypeAccess(Base):
    """A project that may use a type which is not public."""

    __tablename__ = "volume_type_access"

    volume_type_id: Mapped[Id] = mapped_column(ForeignKey("volume_types.id"), primary_key=True)
    project_id: Mapped[Id] = mapped_column(primary_key=True)


def ensure_default_type(session: Session) -> None:
    """Gives a new cloud its default type; for migration and bootstrap."""
    is_there = select(VolumeType.id).where(VolumeType.name == DEFAULT_TYPE, ~VolumeType.is_deleted)
    if session.scalar(is_there) is None:
        session.add(VolumeType(id=new_uuid(), name=DEFAULT_TYPE, description="Default Volume Type"))
