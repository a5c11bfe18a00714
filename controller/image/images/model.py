"""Rows of images."""

from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Generation, Id, Timestamps

#: Names that differ in case are different names, on MariaDB too.
ExactName = Annotated[
    str,
    mapped_column(String(255).with_variant(mysql.VARCHAR(255, collation="utf8mb4_bin"), "mysql", "mariadb")),
]


class Image(Timestamps, Generation, Base):
    """An image. Its bytes are the file of its id in the store, there exactly while ``os_hash_value`` is.

    A deleted one stays until no host needs its bytes. ``staged`` says what was staged for an import.
    """

    __tablename__ = "images"
    __table_args__ = (
        Index("ix_images_owner_status", "owner", "status"),
        Index("ix_images_created_at_id", "created_at", "id"),
        CheckConstraint("min_disk >= 0 AND min_ram >= 0", name="ck_images_minima"),
        Base.__table_args__,
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(30), default="queued")
    visibility: Mapped[str] = mapped_column(String(16), default="shared")
    owner: Mapped[str | None] = mapped_column(String(255))
    disk_format: Mapped[str | None] = mapped_column(String(32))
    container_format: Mapped[str | None] = mapped_column(String(32))
    min_disk: Mapped[int] = mapped_column(default=0)
    min_ram: Mapped[int] = mapped_column(default=0)
    size: Mapped[int | None] = mapped_column(BigInteger)
    virtual_size: Mapped[int | None] = mapped_column(BigInteger)
    checksum: Mapped[str | None] = mapped_column(String(32))
    os_hash_algo: Mapped[str | None] = mapped_column(String(64))
    os_hash_value: Mapped[str | None] = mapped_column(String(128))
    protected: Mapped[bool] = mapped_column(default=False)
    os_hidden: Mapped[bool] = mapped_column(default=False)
    staged: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class ImageProperty(Base):
    """Any further quality of an image that its owner wrote down."""

    __tablename__ = "image_properties"

    image_id: Mapped[Id] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[ExactName] = mapped_column(primary_key=True)
    value: Mapped[str | None] = mapped_column(Text)


class ImageTag(Base):
    """A word by which images are found."""

    __tablename__ = "image_tags"

    image_id: Mapped[Id] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[ExactName] = mapped_column(primary_key=True, index=True)


class ImageMember(Timestamps, Base):
    """A project that a shared image is offered to, and what it said to that."""

    __tablename__ = "image_members"

    image_id: Mapped[Id] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[str] = mapped_column(String(255), primary_key=True, index=True)
    status: Mapped[str] = mapped_column(String(20), default="pending")
