"""Rows of role assignments."""

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id

#: ``target_id`` of what is assigned on the whole cloud.
SYSTEM = "all"


class Assignment(Base):
    """A user or group has a role on a project, a domain or the system.

    An inherited one holds for all projects below its target and not for the target itself. Ids of users
    and groups never meet, nor do those of projects and domains, so the types only serve lists.
    """

    __tablename__ = "role_assignments"
    __table_args__ = (Index("ix_role_assignments_target_id", "target_id"), Base.__table_args__)

    actor_id: Mapped[Id] = mapped_column(primary_key=True)
    target_id: Mapped[Id] = mapped_column(primary_key=True)
    role_id: Mapped[Id] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
    is_inherited: Mapped[bool] = mapped_column(primary_key=True, default=False)
    actor_type: Mapped[str] = mapped_column(String(8))
    target_type: Mapped[str] = mapped_column(String(8))
