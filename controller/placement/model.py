"""Rows of placement. A resource class or trait is its name; only custom ones have rows."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Generation, Id, Timestamps


class Provider(Timestamps, Generation, Base):
    """Something with an inventory: a host, or what an operator describes by REST. Bumping ``generation``
    is the lock under which its inventory and allocations change."""

    __tablename__ = "resource_providers"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    parent_id: Mapped[Id | None] = mapped_column(ForeignKey("resource_providers.id"))
    root_id: Mapped[Id] = mapped_column(index=True)


class Inventory(Timestamps, Base):
    """How much of one class a provider has. What can be claimed is (total - reserved) * ratio."""

    __tablename__ = "inventories"
    __table_args__ = (
        CheckConstraint("total >= 0 AND reserved >= 0 AND step_size >= 1", name="ck_inventories_amounts"),
        Base.__table_args__,
    )

    provider_id: Mapped[Id] = mapped_column(
        ForeignKey("resource_providers.id", ondelete="CASCADE"), primary_key=True
    )
    resource_class: Mapped[str] = mapped_column(String(255), primary_key=True)
    total: Mapped[int]
    reserved: Mapped[int] = mapped_column(default=0)
    min_unit: Mapped[int] = mapped_column(default=1)
    max_unit: Mapped[int]
    step_size: Mapped[int] = mapped_column(default=1)
    allocation_ratio: Mapped[float] = mapped_column(default=1.0)

    @property
    def capacity(self) -> int:
        """How much can be claimed in all."""
        return int((self.total - self.reserved) * self.allocation_ratio)


class Consumer(Timestamps, Generation, Base):
    """Who uses: a server, a migration. It exists as long as it has allocations."""

    __tablename__ = "consumers"
    __table_args__ = (Index("ix_consumers_project_user", "project_id", "user_id"), Base.__table_args__)

    id: Mapped[Id] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(String(255))
    user_id: Mapped[str] = mapped_column(String(255))
    type: Mapped[str] = mapped_column(String(255), default="INSTANCE")


class Allocation(Timestamps, Base):
    """How much of one class of one provider a consumer uses."""

    __tablename__ = "allocations"
    __table_args__ = (CheckConstraint("used > 0", name="ck_allocations_used"), Base.__table_args__)

    consumer_id: Mapped[Id] = mapped_column(ForeignKey("consumers.id"), primary_key=True)
    provider_id: Mapped[Id] = mapped_column(ForeignKey("resource_providers.id"), primary_key=True, index=True)
    resource_class: Mapped[str] = mapped_column(String(255), primary_key=True)
    used: Mapped[int] = mapped_column(BigInteger)


class ResourceClass(Timestamps, Base):
    """A custom resource class."""

    __tablename__ = "resource_classes"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)


class Trait(Timestamps, Base):
    """A custom trait."""

    __tablename__ = "traits"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)


class ProviderTrait(Base):
    """A provider has a trait, standard or custom."""

    __tablename__ = "resource_provider_traits"

    provider_id: Mapped[Id] = mapped_column(
        ForeignKey("resource_providers.id", ondelete="CASCADE"), primary_key=True
    )
    trait: Mapped[str] = mapped_column(String(255), primary_key=True, index=True)


class ProviderAggregate(Base):
    """A provider is in an aggregate, which is nothing but its id."""

    __tablename__ = "resource_provider_aggregates"

    provider_id: Mapped[Id] = mapped_column(
        ForeignKey("resource_providers.id", ondelete="CASCADE"), primary_key=True
    )
    aggregate_id: Mapped[Id] = mapped_column(primary_key=True, index=True)
