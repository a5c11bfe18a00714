"""Claiming and releasing resources of a provider, and how much is used: what compute calls.

All of it runs inside the caller's transaction. The provider is locked before anything is counted, so two
claims never both get the last of something.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Subquery, delete, exists, func, select
from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.placement import providers
from controller.placement.model import Allocation, Consumer, Inventory
from controller.web.errors import NotFound


class HostUsage(NamedTuple):
    """One class of one provider, as the scheduler looks at it."""

    total: int
    reserved: int
    ratio: float
    used: int


@dataclass(frozen=True)
class Stock:
    """One inventory with what others use of it. ``refusal`` says why an amount cannot be claimed."""

    resource_class: str
    capacity: int
    used: int
    min_unit: int
    max_unit: int
    step_size: int

    def refusal(self, amount: int) -> str | None:
        """None when ``amount`` more can be claimed."""
        if not self.min_unit <= amount <= self.max_unit or amount % self.step_size:
            return (
                f"{amount} of {self.resource_class} violates min_unit {self.min_unit}, "
                f"max_unit {self.max_unit} or step_size {self.step_size}"
            )
        if self.used + amount > self.capacity:
            return (
                f"{amount} of {self.resource_class} would exceed the capacity: "
                f"{self.used} of {self.capacity} are used"
            )
        return None


def claim(
    session: Session,
    provider_id: str,
    consumer_id: str,
    resources: Mapping[str, int],
    owner: tuple[str, str],
) -> bool:
    """Gives ``resources`` of a provider to a consumer; False when they are not to be had.

    ``owner`` is (project id, user id). What the same consumer has of the same provider is replaced, so a
    repeat does not double. The provider is locked: take the project's and the subnets' locks before.
    """
    try:
        providers.lock(session, [provider_id])
    except NotFound:
        return False
    wanted = {name: amount for name, amount in resources.items() if amount > 0}
    stocks = stocks_of(session, provider_id, besides=consumer_id)
    if any(name not in stocks or stocks[name].refusal(amount) for name, amount in wanted.items()):
        return False
    ensure_consumer(session, consumer_id, owner)
    write(session, provider_id, consumer_id, wanted)
    return True


def release(session: Session, consumer_id: str, provider_id: str | None = None) -> None:
    """Gives back all that a consumer has, or only what it has of one provider. Safe to repeat."""
    statement = delete(Allocation).where(Allocation.consumer_id == consumer_id)
    if provider_id is not None:
        statement = statement.where(Allocation.provider_id == provider_id)
    session.execute(statement)
    has_some = exists().where(Allocation.consumer_id == consumer_id)
    session.execute(
        delete(Consumer)
        .where(Consumer.id == consumer_id, ~has_some)
        .execution_options(synchronize_session="fetch")
    )


def of_consumer(session: Session, consumer_id: str) -> dict[str, dict[str, int]]:
    """What a consumer has: amounts by provider and class."""
    found: dict[str, dict[str, int]] = {}
    rows = session.execute(
        select(Allocation.provider_id, Allocation.resource_class, Allocation.used).where(
            Allocation.consumer_id == consumer_id
        )
    )
    for provider_id, name, used in rows:
        found.setdefault(provider_id, {})[name] = used
    return found


def host_usage(session: Session) -> dict[str, dict[str, HostUsage]]:
    """Every inventory of every provider with its usage, by provider and class; one query."""
    used = _used_by_inventory()
    rows = session.execute(
        select(
            Inventory.provider_id,
            Inventory.resource_class,
            Inventory.total,
            Inventory.reserved,
            Inventory.allocation_ratio,
            func.coalesce(used.c.used, 0),
        ).outerjoin(
            used,
            (used.c.provider_id == Inventory.provider_id)
            & (used.c.resource_class == Inventory.resource_class),
        )
    )
    found: dict[str, dict[str, HostUsage]] = {}
    for provider_id, name, *amounts in rows:
        total, reserved, ratio, in_use = amounts
        found.setdefault(provider_id, {})[name] = HostUsage(total, reserved, ratio, int(in_use))
    return found


def usages(session: Session, project_id: str | None = None, user_id: str | None = None) -> dict[str, int]:
    """How much of each class is used: in the whole cloud, by a project, or by a user in it."""
    statement = select(Allocation.resource_class, func.sum(Allocation.used)).group_by(
        Allocation.resource_class
    )
    if project_id is not None or user_id is not None:
        statement = statement.join(Consumer, Consumer.id == Allocation.consumer_id)
    if project_id is not None:
        statement = statement.where(Consumer.project_id == project_id)
    if user_id is not None:
        statement = statement.where(Consumer.user_id == user_id)
    return {name: int(used) for name, used in session.execute(statement)}


# --- parts of a claim, also of those that come by REST


def stocks_of(session: Session, provider_id: str, besides: str = "") -> dict[str, Stock]:
    """A provider's inventories by class, with what all consumers besides one use."""
    used = _used_by_inventory(provider_id, besides)
    rows = session.execute(
        select(Inventory, func.coalesce(used.c.used, 0))
        .outerjoin(used, used.c.resource_class == Inventory.resource_class)
        .where(Inventory.provider_id == provider_id)
        .execution_options(populate_existing=True)
    )
    return {
        row.resource_class: Stock(
            row.resource_class, row.capacity, int(in_use), row.min_unit, row.max_unit, row.step_size
        )
        for row, in_use in rows
    }


def ensure_consumer(
    session: Session, consumer_id: str, owner: tuple[str, str], kind: str = "INSTANCE"
) -> Consumer:
    """The consumer's row, made when it is missing."""
    consumer = session.get(Consumer, consumer_id, populate_existing=True)
    if consumer is None:
        consumer = Consumer(id=consumer_id, project_id=owner[0], user_id=owner[1], type=kind, generation=0)
        session.add(consumer)
    consumer.generation += 1
    session.flush()
    return consumer


def write(session: Session, provider_id: str, consumer_id: str, resources: Mapping[str, int]) -> None:
    """Replaces what a consumer has of a locked provider."""
    session.execute(
        delete(Allocation).where(Allocation.provider_id == provider_id, Allocation.consumer_id == consumer_id)
    )
    at = now()
    for name, amount in resources.items():
        session.add(
            Allocation(
                consumer_id=consumer_id,
                provider_id=provider_id,
                resource_class=name,
                used=amount,
                created_at=at,
            )
        )
    session.flush()


def _used_by_inventory(provider_id: str | None = None, besides: str = "") -> Subquery:
    statement = select(
        Allocation.provider_id, Allocation.resource_class, func.sum(Allocation.used).label("used")
    ).group_by(Allocation.provider_id, Allocation.resource_class)
    if provider_id is not None:
        statement = statement.where(Allocation.provider_id == provider_id)
    if besides:
        statement = statement.where(Allocation.consumer_id != besides)
    return statement.subquery()
