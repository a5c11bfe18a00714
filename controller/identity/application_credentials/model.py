"""Rows of application credentials."""

import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, UtcDateTime, new_hex


class ApplicationCredential(Base):
    """A secret by which tokens of one user for one project are got, without the user's password.

    An unrestricted one may make others like itself; no other may.
    """

    __tablename__ = "application_credentials"
    __table_args__ = (UniqueConstraint("user_id", "name"), Base.__table_args__)

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_hex)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    user_id: Mapped[Id] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    project_id: Mapped[Id] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    secret_hash: Mapped[str] = mapped_column(String(128))
    is_unrestricted: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[datetime.datetime | None] = mapped_column(UtcDateTime)


class ApplicationCredentialRole(Base):
    """A role that the credential is for: tokens have it as long as the user does."""

    __tablename__ = "application_credential_roles"

    credential_id: Mapped[Id] = mapped_column(
        ForeignKey("application_credentials.id", ondelete="CASCADE"), primary_key=True
    )
    role_id: Mapped[Id] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
