"""Rows of regions, services and endpoints."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, new_hex


class Region(Base):
    """A place that endpoints are in; users may choose its id."""

    __tablename__ = "regions"

    id: Mapped[str] = mapped_column(String(255), primary_key=True, default=new_hex)
    description: Mapped[str] = mapped_column(Text, default="")
    parent_region_id: Mapped[str | None] = mapped_column(String(255), ForeignKey("regions.id"))
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Service(Base):
    """A service of the cloud (keystone calls the class of APIs that it speaks its type)."""

    __tablename__ = "services"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_hex)
    type: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255), default="")
    is_enabled: Mapped[bool] = mapped_column(default=True)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Endpoint(Base):
    """Where one interface of a service is reached in one region."""

    __tablename__ = "endpoints"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_hex)
    interface: Mapped[str] = mapped_column(String(8))
    url: Mapped[str] = mapped_column(String(1024))
    service_id: Mapped[Id] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"))
    region_id: Mapped[str | None] = mapped_column(String(255), ForeignKey("regions.id"))
    is_enabled: Mapped[bool] = mapped_column(default=True)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
