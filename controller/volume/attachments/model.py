"""An attachment as a row: who a volume is shown to, and where its export is reached."""

import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, Timestamps, UtcDateTime

#: All names of exports begin so; the attachment's id follows.
IQN_PREFIX = "iqn.2026-01.org.cumulet:"


class Attachment(Base, Timestamps):
    """One attachment. ``state`` is reserved, attaching, attached or detaching.

    ``is_of_compute``: the compute service made it with a server of ours, and it alone ends it. ``device``
    is the name in the guest without ``/dev/``. ``connector`` is what an outside client said of its host,
    ``host`` and ``initiator`` who may connect. ``is_export_wanted`` and ``is_in_guest_wanted`` are wishes;
    ``portal`` is set once the export stands. ``chap_password`` is sealed. ``is_last``: when this ends, the
    volume goes too.
    """

    __tablename__ = "volume_attachments"
    __table_args__ = (
        Index("ix_volume_attachments_volume_id", "volume_id"),
        Index("ix_volume_attachments_server_id", "server_id"),
        Base.__table_args__,
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    volume_id: Mapped[Id] = mapped_column(ForeignKey("volumes.id"))
    project_id: Mapped[Id]
    server_id: Mapped[Id | None]
    state: Mapped[str] = mapped_column(String(16), default="reserved")
    is_of_compute: Mapped[bool] = mapped_column(default=False)
    device: Mapped[str | None] = mapped_column(String(255))
    boot_index: Mapped[int | None]
    tag: Mapped[str | None] = mapped_column(String(255))
    delete_on_termination: Mapped[bool] = mapped_column(default=False)
    is_last: Mapped[bool] = mapped_column(default=False)
    mode: Mapped[str] = mapped_column(String(4), default="rw")
    host: Mapped[str | None] = mapped_column(String(255))
    initiator: Mapped[str] = mapped_column(String(255), default="")
    connector: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    is_export_wanted: Mapped[bool] = mapped_column(default=False)
    is_in_guest_wanted: Mapped[bool] = mapped_column(default=False)
    portal: Mapped[str] = mapped_column(String(64), default="")
    lun: Mapped[int] = mapped_column(default=1)
    chap_username: Mapped[str] = mapped_column(String(64))
    chap_password: Mapped[str] = mapped_column(String(512))
    attached_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)

    @property
    def iqn(self) -> str:
        """The name of the target that the export makes."""
        return IQN_PREFIX + self.id
