"""Rows of topologies that were made for projects."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id


class AutoTopology(Base):
    """The network that was made for a project, and its router; there is one of each."""

    __tablename__ = "auto_allocated_topologies"

    project_id: Mapped[Id] = mapped_column(primary_key=True)
    network_id: Mapped[Id] = mapped_column(ForeignKey("networks.id", ondelete="CASCADE"), index=True)
    router_id: Mapped[Id | None] = mapped_column(ForeignKey("routers.id", ondelete="SET NULL"), index=True)
