"""Rows of security groups and their rules."""

from collections.abc import Iterable

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db.columns import Base, Id, new_uuid
from controller.network.standard import Standard

DEFAULT_NAME = "default"


class SecurityGroup(Standard, Base):
    """A security group. ``default_of`` is the project whose default group it is: there is one of each."""

    __tablename__ = "security_groups"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    name: Mapped[str] = mapped_column(String(255), default="", index=True)
    is_stateful: Mapped[bool] = mapped_column(default=True)
    default_of: Mapped[Id | None] = mapped_column(unique=True)


class SecurityGroupRule(Standard, Base):
    """A rule. Rules that name a group as remote go with it."""

    __tablename__ = "security_group_rules"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    group_id: Mapped[Id] = mapped_column(ForeignKey("security_groups.id", ondelete="CASCADE"), index=True)
    direction: Mapped[str] = mapped_column(String(8))
    ethertype: Mapped[str] = mapped_column(String(8))
    protocol: Mapped[str | None] = mapped_column(String(40))
    port_range_min: Mapped[int | None]
    port_range_max: Mapped[int | None]
    remote_ip_prefix: Mapped[str | None] = mapped_column(String(64))
    remote_group_id: Mapped[Id | None] = mapped_column(
        ForeignKey("security_groups.id", ondelete="CASCADE"), index=True
    )
    remote_address_group_id: Mapped[Id | None] = mapped_column(ForeignKey("address_groups.id"), index=True)


def address_groups(session: Session, group_ids: Iterable[str]) -> set[str]:
    """The address groups that the rules of these groups name."""
    named = select(SecurityGroupRule.remote_address_group_id).where(
        SecurityGroupRule.group_id.in_(list(group_ids)),
        SecurityGroupRule.remote_address_group_id.is_not(None),
    )
    return {found for found in session.scalars(named.distinct()) if found}
