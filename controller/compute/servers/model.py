"""A server as a row: what is wanted of it, and what its host last showed."""

import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Generation, Id, Timestamps, UtcDateTime

_LONG_TEXT = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


class Server(Base, Timestamps, Generation):
    """One server. The flavor is a copy: changing or deleting the flavor changes no server;
    ``boot_image`` likewise is what the host needs to know of the image, as contract.BootImage.

    ``state`` is of states.py; ``task`` names the transition under way as the API's task_state shows it.
    ``power_wanted`` is on or off, ``power_generation`` grows with each change of it. ``unplugging`` are
    ports that are on their way out of the guest; ``leaving_host`` is set while the domain is to go.
    """

    __tablename__ = "servers"
    __table_args__ = (
        Index("ix_servers_project_list", "project_id", "is_deleted", "created_at"),
        Index("ix_servers_host", "host", "is_deleted"),
        Base.__table_args__,
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    project_id: Mapped[Id]
    user_id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(String(255))
    hostname: Mapped[str] = mapped_column(String(255))

    state: Mapped[str] = mapped_column(String(16), default="building")
    task: Mapped[str | None] = mapped_column(String(32))
    power_wanted: Mapped[str] = mapped_column(String(4), default="on")
    power_generation: Mapped[int] = mapped_column(default=0)
    power_observed: Mapped[str] = mapped_column(String(12), default="absent")
    fault: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    host: Mapped[str | None] = mapped_column(String(64))
    leaving_host: Mapped[str | None] = mapped_column(String(64))
    availability_zone: Mapped[str | None] = mapped_column(String(255))
    requested_zone: Mapped[str | None] = mapped_column(String(255))
    forced_host: Mapped[str | None] = mapped_column(String(255))

    vcpus: Mapped[int]
    ram_mib: Mapped[int]
    disk_gib: Mapped[int]
    ephemeral_gib: Mapped[int] = mapped_column(default=0)
    swap_mib: Mapped[int] = mapped_column(default=0)
    flavor_id: Mapped[str] = mapped_column(String(255))
    flavor_name: Mapped[str] = mapped_column(String(255))
    extra_specs: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)

    image_id: Mapped[str | None] = mapped_column(String(64))
    image_properties: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    boot_image: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    root_device_name: Mapped[str] = mapped_column(String(32), default="/dev/vda")
    key_name: Mapped[str | None] = mapped_column(String(255))
    key_type: Mapped[str | None] = mapped_column(String(16))
    key_data: Mapped[str | None] = mapped_column(Text)
    user_data: Mapped[str | None] = mapped_column(_LONG_TEXT)
    is_config_drive: Mapped[bool] = mapped_column(default=False)
    meta: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    scheduler_hints: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    reservation_id: Mapped[str] = mapped_column(String(32))
    launch_index: Mapped[int] = mapped_column(default=0)
    disk_config: Mapped[str] = mapped_column(String(8), default="MANUAL")
    access_ip_v4: Mapped[str] = mapped_column(String(64), default="")
    access_ip_v6: Mapped[str] = mapped_column(String(64), default="")
    is_locked: Mapped[bool] = mapped_column(default=False)
    locked_by: Mapped[str | None] = mapped_column(String(8))
    locked_reason: Mapped[str | None] = mapped_column(String(255))
    unplugging: Mapped[list[str]] = mapped_column(JSON, default=list)
    random_seed: Mapped[str] = mapped_column(String(700), default="")

    launched_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)
    terminated_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)
    is_deleted: Mapped[bool] = mapped_column(default=False)
