"""Query parameters that choose providers: resources, required, member_of, in_tree.

Read once into a ``Wish``; the wish narrows a select over providers, for the list and for candidates alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from controller.placement import versions
from controller.placement.endpoint import as_uuid
from controller.placement.model import (
    Allocation,
    Inventory,
    Provider,
    ProviderAggregate,
    ProviderTrait,
)
from controller.placement.resource_classes import known_classes
from controller.placement.traits import known_traits
from controller.web.errors import BadRequest
from controller.web.versions import Version


@dataclass(frozen=True)
class Wish:
    """What a provider must have. Every set in ``required`` and ``aggregates`` needs one of its members."""

    resources: Mapping[str, int]
    required: tuple[frozenset[str], ...] = ()
    forbidden: frozenset[str] = frozenset()
    aggregates: tuple[frozenset[str], ...] = ()
    forbidden_aggregates: frozenset[str] = frozenset()
    tree: str | None = None


def read_wish(params: Mapping[str, list[str]], version: Version, suffix: str = "") -> Wish:
    """The wish in ``resources``, ``required``, … with a suffix. Raises BadRequest."""
    resources = params.get(f"resources{suffix}")
    required, forbidden = _read_traits(params.get(f"required{suffix}", []), version)
    aggregates, forbidden_aggregates = _read_aggregates(params.get(f"member_of{suffix}", []), version)
    tree = params.get(f"in_tree{suffix}")
    return Wish(
        resources=read_resources(resources[-1]) if resources else {},
        required=required,
        forbidden=forbidden,
        aggregates=aggregates,
        forbidden_aggregates=forbidden_aggregates,
        tree=as_uuid(tree[-1], "in_tree parameter") if tree else None,
    )


def read_resources(text: str) -> dict[str, int]:
    """``VCPU:2,MEMORY_MB:1024``. Raises BadRequest."""
    found: dict[str, int] = {}
    for part in text.split(","):
        name, colon, amount = part.strip().partition(":")
        if not (name and colon and amount.isdecimal() and amount.isascii() and 0 < int(amount) < 1 << 31):
            raise BadRequest(
                "Badly formed resources parameter. Expected resources query string parameter in form: "
                f"?resources=VCPU:2,MEMORY_MB:1024 with positive amounts. Got: {part or 'empty string'}."
            )
        found[name] = int(amount)
    return found


def refuse_unknown(session: Session, wish: Wish) -> None:
    """Raises BadRequest for a class or trait that does not exist."""
    unknown = set(wish.resources) - known_classes(session, wish.resources)
    if unknown:
        raise BadRequest(
            f"Invalid resource class in resources parameter: No such class {sorted(unknown)[0]}."
        )
    named = wish.forbidden.union(*wish.required)
    missing = named - known_traits(session, named)
    if missing:
        raise BadRequest(f"No such trait(s): {', '.join(sorted(missing))}.")


def narrow(statement: Select[tuple[Provider]], wish: Wish) -> Select[tuple[Provider]]:
    """Only providers that fulfil the wish by themselves."""
    for any_of in wish.required:
        statement = statement.where(Provider.id.in_(_having(any_of)))
    if wish.forbidden:
        statement = statement.where(Provider.id.not_in(_having(wish.forbidden)))
    for any_aggregate in wish.aggregates:
        statement = statement.where(Provider.id.in_(_within(any_aggregate)))
    if wish.forbidden_aggregates:
        statement = statement.where(Provider.id.not_in(_within(wish.forbidden_aggregates)))
    if wish.tree is not None:
        root = select(Provider.root_id).where(Provider.id == wish.tree).scalar_subquery()
        statement = statement.where(Provider.root_id == root)
    for name, amount in wish.resources.items():
        statement = statement.where(Provider.id.in_(_offering(name, amount)))
    return statement


def _having(traits: frozenset[str]) -> Select[tuple[str]]:
    return select(ProviderTrait.provider_id).where(ProviderTrait.trait.in_(traits))


def _within(aggregates: frozenset[str]) -> Select[tuple[str]]:
    return select(ProviderAggregate.provider_id).where(ProviderAggregate.aggregate_id.in_(aggregates))


def _offering(name: str, amount: int) -> Select[tuple[str]]:
    used = (
        select(Allocation.provider_id, func.sum(Allocation.used).label("used"))
        .where(Allocation.resource_class == name)
        .group_by(Allocation.provider_id)
        .subquery()
    )
    capacity = (Inventory.total - Inventory.reserved) * Inventory.allocation_ratio
    return (
        select(Inventory.provider_id)
        .outerjoin(used, used.c.provider_id == Inventory.provider_id)
        .where(
            and_(
                Inventory.resource_class == name,
                Inventory.min_unit <= amount,
                Inventory.max_unit >= amount,
                amount % Inventory.step_size == 0,
                func.coalesce(used.c.used, 0) + amount <= capacity,
            )
        )
    )


Traits = tuple[tuple[frozenset[str], ...], frozenset[str]]


def _read_traits(texts: list[str], version: Version) -> Traits:
    required: list[frozenset[str]] = []
    forbidden: set[str] = set()
    for text in texts if version >= versions.ANY_TRAITS else texts[-1:]:
        names = [part.strip() for part in text.removeprefix("in:").split(",")]
        is_any = text.startswith("in:")
        if is_any and (version < versions.ANY_TRAITS or any(n.startswith("!") for n in names)):
            raise _bad_required(text)
        banned = {n.lstrip("!") for n in names if n.startswith("!")}
        if not all(names) or not all(banned) or (banned and version < versions.FORBIDDEN_TRAITS):
            raise _bad_required(text)
        wanted = [n for n in names if not n.startswith("!")]
        required += [frozenset(wanted)] if is_any else [frozenset([n]) for n in wanted]
        forbidden |= banned
    return tuple(required), frozenset(forbidden)


def _bad_required(text: str) -> BadRequest:
    return BadRequest(
        "Invalid query string parameters: Expected 'required' parameter value of the form: "
        f"HW_CPU_X86_VMX,!CUSTOM_MAGIC (! since 1.22, in: since 1.39). Got: {text}"
    )


def _read_aggregates(texts: list[str], version: Version) -> Traits:
    if len(texts) > 1 and version < versions.MANY_MEMBER_OF:
        raise BadRequest("Multiple member_of parameters are not supported before version 1.24")
    required: list[frozenset[str]] = []
    forbidden: set[str] = set()
    for text in texts:
        is_forbidden = text.startswith("!")
        plain = text.removeprefix("!")
        if ("," in plain and not plain.startswith("in:")) or (
            is_forbidden and version < versions.FORBIDDEN_AGGREGATES
        ):
            raise BadRequest(
                "Multiple values for 'member_of' must be prefixed with the 'in:' or '!in:' keyword "
                f"using the valid microversion. Got: {text}"
            )
        named = {as_uuid(part, "member_of parameter") for part in plain.removeprefix("in:").split(",")}
        if is_forbidden:
            forbidden |= named
        else:
            required.append(frozenset(named))
    return tuple(required), frozenset(forbidden)
