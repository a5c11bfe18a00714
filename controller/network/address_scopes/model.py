"""Rows of address scopes."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, new_uuid
from controller.network.standard import Owned


class AddressScope(Owned, Base):
    """An address scope: the prefixes of its pools are apart."""

    __tablename__ = "address_scopes"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    name: Mapped[str] = mapped_column(String(255), default="", index=True)
    ip_version: Mapped[int]
