"""Rows of address groups."""

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, new_uuid
from controller.network.standard import Standard


class AddressGroup(Standard, Base):
    """An address group; its ``addresses`` are prefixes in their usual writing, in order."""

    __tablename__ = "address_groups"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    name: Mapped[str] = mapped_column(String(255), default="", index=True)
    addresses: Mapped[list[str]] = mapped_column(JSON, default=list)
