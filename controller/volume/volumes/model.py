"""A volume as a row: what is wanted of it, and what its storage host last showed."""

import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Generation, Id, Timestamps, UtcDateTime

#: The only availability zone: storage hosts are not divided.
ZONE = "nova"


class Volume(Base, Timestamps, Generation):
    """One volume. ``status`` is of states.py; deleted rows stay, and count nowhere.

    ``size_gib`` is what it has and shows, ``wanted_gib`` what its host is told and quota counts: they
    differ while it is extended. ``is_removal_wanted``: its host is ordered to forget it, for good.
    ``source_image`` is the image it is filled from, copied, so that the image may go. ``meta`` is the
    user's metadata, ``image_meta`` came with the image. ``fault`` says why the status is an error.
    ``is_of_server``: made together with a server, which reserves it before it is made.
    """

    __tablename__ = "volumes"
    __table_args__ = (
        Index("ix_volumes_project_list", "project_id", "is_deleted", "created_at"),
        Index("ix_volumes_host", "host", "is_deleted"),
        Index("ix_volumes_type", "volume_type_id", "is_deleted"),
        Base.__table_args__,
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    project_id: Mapped[Id]
    user_id: Mapped[Id]
    name: Mapped[str | None] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(String(255))
    size_gib: Mapped[int]
    wanted_gib: Mapped[int]
    status: Mapped[str] = mapped_column(String(32), default="creating")
    migration_status: Mapped[str | None] = mapped_column(String(32))
    fault: Mapped[str | None] = mapped_column(Text)
    volume_type_id: Mapped[Id]
    availability_zone: Mapped[str] = mapped_column(String(255), default=ZONE)
    host: Mapped[str | None] = mapped_column(String(64))
    backend: Mapped[str] = mapped_column(String(64), default="")
    observed_state: Mapped[str] = mapped_column(String(16), default="")
    observed_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    is_bootable: Mapped[bool] = mapped_column(default=False)
    is_multiattach: Mapped[bool] = mapped_column(default=False)
    is_read_only: Mapped[bool | None]
    source_image: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    meta: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    image_meta: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    is_of_server: Mapped[bool] = mapped_column(default=False)
    is_removal_wanted: Mapped[bool] = mapped_column(default=False)
    is_deleted: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)
