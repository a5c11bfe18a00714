"""Rows of QoS policies and their rules."""

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, new_uuid
from controller.network.standard import Standard


class QosPolicy(Standard, Base):
    """A policy. ``is_default``: new networks of its project get it; a project has one such at most."""

    __tablename__ = "qos_policies"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    name: Mapped[str] = mapped_column(String(255), default="", index=True)
    is_default: Mapped[bool] = mapped_column(default=False)


class QosRule(Base):
    """A rule of any kind (``rule_kinds.py``). ``value`` is its rate or mark; that and ``burst`` are in its unit."""

    __tablename__ = "qos_rules"
    __table_args__ = (UniqueConstraint("policy_id", "kind", "direction"), Base.__table_args__)

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    policy_id: Mapped[Id] = mapped_column(ForeignKey("qos_policies.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(24))
    direction: Mapped[str] = mapped_column(String(8), default="egress")
    value: Mapped[int]
    burst: Mapped[int] = mapped_column(default=0)
