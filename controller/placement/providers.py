"""Resource providers: locking, making, changing, deleting them, and what hosts tell of theirs."""

from collections.abc import Iterable, Mapping

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from contract import report
from controller.db.columns import now
from controller.placement.model import Allocation, Inventory, Provider
from controller.web.errors import BadRequest, Conflict, NotFound

CONCURRENT_UPDATE = "placement.concurrent_update"
DUPLICATE_NAME = "placement.duplicate_name"


def ensure(session: Session, uuid: str, name: str, inventories: Mapping[str, report.Inventory]) -> None:
    """Makes the provider of a host and its inventories as its agent tells them; part of every heartbeat.

    Writes only when something differs. Classes that an operator added under CUSTOM_ names stay. Raises
    Conflict when another provider has the name.
    """
    provider = session.get(Provider, uuid)
    if provider is None:
        create(session, uuid, name)
    elif provider.name != name:
        rename(session, provider, name)
    if _differences(session, uuid, inventories):
        lock(session, [uuid])
        _write(session, uuid, inventories, _differences(session, uuid, inventories))


def lock(session: Session, provider_ids: Iterable[str]) -> None:
    """Bumps generations, in one order for all callers. Raises NotFound."""
    for provider_id in sorted(set(provider_ids)):
        bumped = session.execute(
            update(Provider)
            .where(Provider.id == provider_id)
            .values(generation=Provider.generation + 1)
            .execution_options(synchronize_session=False)
        )
        if bumped.rowcount != 1:  # type: ignore[attr-defined]
            raise not_found(provider_id)


def lock_at(session: Session, provider_id: str, generation: int) -> Provider:
    """Locks a provider that must still be of ``generation``. Raises NotFound and Conflict."""
    lock(session, [provider_id])
    provider = get(session, provider_id)
    if provider.generation != generation + 1:
        raise Conflict(
            f"resource provider generation conflict: it is {provider.generation - 1} by now, "
            f"not {generation}. Read the provider again and repeat.",
            kind=CONCURRENT_UPDATE,
        )
    return provider


def get(session: Session, provider_id: str) -> Provider:
    """The provider as it is now. Raises NotFound."""
    provider = session.get(Provider, provider_id, populate_existing=True)
    if provider is None:
        raise not_found(provider_id)
    return provider


def not_found(provider_id: str) -> NotFound:
    """What is said about an unknown provider."""
    return NotFound(f"No resource provider with uuid {provider_id} found")


def create(session: Session, uuid: str, name: str, parent_id: str | None = None) -> Provider:
    """A new provider. Raises Conflict for a used name or id, BadRequest for an unknown parent."""
    _refuse_used_name(session, name)
    if session.get(Provider, uuid) is not None:
        raise Conflict(f"Conflicting resource provider uuid: {uuid} already exists.", kind=DUPLICATE_NAME)
    root_id = _root_of(session, parent_id) if parent_id else uuid
    provider = Provider(id=uuid, name=name, parent_id=parent_id, root_id=root_id, generation=0)
    session.add(provider)
    session.flush()
    return provider


def rename(session: Session, provider: Provider, name: str) -> None:
    """Gives a provider another name. Raises Conflict."""
    if provider.name != name:
        _refuse_used_name(session, name)
        provider.name = name
        session.flush()


def move(session: Session, provider: Provider, parent_id: str | None, is_free: bool) -> None:
    """Hangs a provider under another one, or under none. Unless ``is_free`` only a root may be moved.

    Raises BadRequest for an unknown parent, one of its own descendants, or a move that is not allowed.
    """
    if parent_id == provider.parent_id:
        return
    refusal = f"Unable to save resource provider {provider.id}: "
    if not is_free and provider.parent_id is not None:
        raise BadRequest(f"{refusal}re-parenting a provider is not allowed before version 1.37.")
    root_id = _root_of(session, parent_id) if parent_id else provider.id
    below = subtree(session, provider)
    if parent_id in below:
        raise BadRequest(f"{refusal}creating loop in the provider tree is not allowed.")
    provider.parent_id = parent_id
    session.flush()
    session.execute(update(Provider).where(Provider.id.in_(below)).values(root_id=root_id))
    session.refresh(provider)


def remove(session: Session, provider_id: str) -> None:
    """Deletes a provider with its inventories. Raises NotFound, and Conflict while it is used."""
    lock(session, [provider_id])
    refusal = f"Unable to delete resource provider {provider_id}"
    if session.scalar(select(func.count()).where(Allocation.provider_id == provider_id)):
        raise Conflict(
            f"{refusal}: Resource provider has allocations.", kind="placement.resource_provider.inuse"
        )
    if session.scalar(select(func.count()).where(Provider.parent_id == provider_id)):
        raise Conflict(
            f"{refusal}: It has child resource providers.",
            kind="placement.resource_provider.cannot_delete_parent",
        )
    session.execute(delete(Provider).where(Provider.id == provider_id))


def subtree(session: Session, provider: Provider) -> set[str]:
    """Ids of a provider and all below it."""
    pairs = session.execute(
        select(Provider.id, Provider.parent_id).where(Provider.root_id == provider.root_id)
    ).all()
    found = {provider.id}
    while more := {child for child, parent in pairs if parent in found} - found:
        found |= more
    return found


def _root_of(session: Session, parent_id: str) -> str:
    root = session.scalar(select(Provider.root_id).where(Provider.id == parent_id))
    if root is None:
        raise BadRequest(f"Parent provider UUID does not exist: {parent_id}.")
    return root


def _refuse_used_name(session: Session, name: str) -> None:
    if session.scalar(select(Provider.id).where(Provider.name == name)) is not None:
        raise Conflict(f"Conflicting resource provider name: {name} already exists.", kind=DUPLICATE_NAME)


def _told(inventory: report.Inventory) -> dict[str, int | float]:
    return {
        "total": inventory.total,
        "reserved": inventory.reserved,
        "min_unit": 1,
        "max_unit": max(inventory.total, 1),
        "step_size": 1,
        "allocation_ratio": inventory.allocation_ratio,
    }


def _differences(
    session: Session, provider_id: str, inventories: Mapping[str, report.Inventory]
) -> tuple[str, ...]:
    """Classes whose rows are not as the agent tells."""
    rows = {
        row.resource_class: row
        for row in session.execute(
            select(Inventory.__table__).where(Inventory.provider_id == provider_id)
        ).mappings()
    }
    changed = [
        name
        for name, told in inventories.items()
        if name not in rows or any(rows[name][key] != value for key, value in _told(told).items())
    ]
    gone = [name for name in rows if name not in inventories and not name.startswith("CUSTOM_")]
    return (*changed, *gone)


def _write(
    session: Session,
    provider_id: str,
    inventories: Mapping[str, report.Inventory],
    classes: tuple[str, ...],
) -> None:
    for name in classes:
        row = session.get(Inventory, (provider_id, name), populate_existing=True)
        if name not in inventories:
            session.delete(row)
        elif row is None:
            session.add(Inventory(provider_id=provider_id, resource_class=name, **_told(inventories[name])))
        else:
            for key, value in _told(inventories[name]).items():
                setattr(row, key, value)
            row.updated_at = now()
    session.flush()
