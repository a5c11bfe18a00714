"""GET /allocation_candidates: providers that could take what is asked, with what they have.

Every candidate is one provider that fulfils all groups of the request by itself. Candidates that spread
over a tree or use sharing providers are not offered: hosts of this cloud are single providers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import falcon
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from controller.placement import versions
from controller.placement.endpoint import Endpoint, query, reply
from controller.placement.model import Allocation, Inventory, Provider, ProviderTrait
from controller.placement.selection import Wish, narrow, read_wish, refuse_unknown
from controller.web.errors import BadRequest
from controller.web.resource import params_of, version_of
from controller.web.versions import Version

_PARAMS: dict[str, Version | None] = {
    "resources": None,
    "limit": versions.LIMIT,
    "required": versions.REQUIRED_BY_CANDIDATES,
    "member_of": versions.MEMBER_OF_BY_CANDIDATES,
    "group_policy": versions.GROUPS,
    "in_tree": versions.IN_TREE_BY_CANDIDATES,
    "root_required": versions.ROOT_REQUIRED,
    "same_subtree": versions.SAME_SUBTREE,
}
_GROUPED: dict[str, Version] = {
    "resources": versions.GROUPS,
    "required": versions.GROUPS,
    "member_of": versions.GROUPS,
    "in_tree": versions.IN_TREE_BY_CANDIDATES,
}
_SUFFIX = re.compile(r"(resources|required|member_of|in_tree)([1-9][0-9]*)")
_NAMED_SUFFIX = re.compile(r"(resources|required|member_of|in_tree)([a-zA-Z0-9_-]{1,64})")


@dataclass(frozen=True)
class Asked:
    """The request: wishes by suffix, the unsuffixed one under ""."""

    wishes: Mapping[str, Wish]
    is_isolated: bool
    limit: int | None

    @property
    def whole(self) -> Wish:
        """What one provider must have to fulfil all wishes at once."""
        resources: dict[str, int] = {}
        for wish in self.wishes.values():
            for name, amount in wish.resources.items():
                resources[name] = resources.get(name, 0) + amount
        every = self.wishes.values()
        trees = {wish.tree for wish in every if wish.tree}
        return Wish(
            resources=resources,
            required=tuple(part for wish in every for part in wish.required),
            forbidden=frozenset().union(*(wish.forbidden for wish in every)),
            aggregates=tuple(part for wish in every for part in wish.aggregates),
            forbidden_aggregates=frozenset().union(*(wish.forbidden_aggregates for wish in every)),
            tree=min(trees) if trees else None,
        )

    @property
    def is_hopeless(self) -> bool:
        """Whether no single provider can do: groups that must be apart."""
        apart = [suffix for suffix, wish in self.wishes.items() if suffix and wish.resources]
        trees = {wish.tree for wish in self.wishes.values() if wish.tree}
        return (self.is_isolated and len(apart) > 1) or len(trees) > 1


def read(req: falcon.Request) -> Asked:
    """The query of a request. Raises BadRequest."""
    version, params = version_of(req), params_of(req)
    pattern = _NAMED_SUFFIX if version >= versions.NAMED_GROUPS else _SUFFIX
    matches = [m for name in params if name not in _PARAMS and (m := pattern.fullmatch(name))]
    query(req, {**_PARAMS, **{m[0]: _GROUPED[m[1]] for m in matches}})
    wishes = {suffix: read_wish(params, version, suffix) for suffix in {"", *(m[2] for m in matches)}}
    if not any(wish.resources for wish in wishes.values()):
        raise BadRequest("Invalid query string parameters: 'resources' is a required property")
    grouped = [suffix for suffix in wishes if suffix]
    policy = params.get("group_policy", [""])[-1]
    if policy not in ("", "none", "isolate") or (len(grouped) > 1 and not policy):
        raise BadRequest(
            'The "group_policy" parameter is required when specifying more than one '
            '"resources{N}" parameter: none or isolate.'
        )
    used = {suffix: wish for suffix, wish in wishes.items() if wish != Wish(resources={})}
    return Asked(used, policy == "isolate", _limit(params))


def _limit(params: Mapping[str, list[str]]) -> int | None:
    if "limit" not in params:
        return None
    text = params["limit"][-1]
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise BadRequest(f"Invalid query string parameters: limit must be a positive integer, not {text!r}")
    return int(text)


def candidates(session: Session, asked: Asked) -> list[Provider]:
    """The providers that can. Raises BadRequest for an unknown class or trait."""
    whole = asked.whole
    refuse_unknown(session, whole)
    if asked.is_hopeless:
        return []
    statement = narrow(select(Provider), whole).order_by(Provider.name)
    return list(session.scalars(statement.limit(asked.limit) if asked.limit else statement))


def summaries(
    session: Session, rows: list[Provider], asked: Asked, version: Version
) -> dict[str, dict[str, Any]]:
    """What the providers have and what of it is used; constant number of queries."""
    ids = [row.id for row in rows]
    used = {
        (provider_id, name): int(amount)
        for provider_id, name, amount in session.execute(
            select(Allocation.provider_id, Allocation.resource_class, func.sum(Allocation.used))
            .where(Allocation.provider_id.in_(ids))
            .group_by(Allocation.provider_id, Allocation.resource_class)
        )
    }
    found: dict[str, dict[str, Any]] = {row.id: _summary(row, version) for row in rows}
    for stock in session.scalars(select(Inventory).where(Inventory.provider_id.in_(ids))):
        if version >= versions.ALL_CLASSES or stock.resource_class in asked.whole.resources:
            found[stock.provider_id]["resources"][stock.resource_class] = {
                "capacity": stock.capacity,
                "used": used.get((stock.provider_id, stock.resource_class), 0),
            }
    if version >= versions.REQUIRED_BY_CANDIDATES:
        for trait in session.scalars(select(ProviderTrait).where(ProviderTrait.provider_id.in_(ids))):
            found[trait.provider_id]["traits"].append(trait.trait)
    return found


def _summary(row: Provider, version: Version) -> dict[str, Any]:
    shown: dict[str, Any] = {"resources": {}}
    if version >= versions.REQUIRED_BY_CANDIDATES:
        shown["traits"] = []
    if version >= versions.NESTED:
        shown["parent_provider_uuid"] = row.parent_id
        shown["root_provider_uuid"] = row.root_id
    return shown


def _request(row: Provider, asked: Asked, version: Version) -> dict[str, Any]:
    resources = dict(asked.whole.resources)
    if version < versions.ALLOCATIONS_BY_PROVIDER:
        return {"allocations": [{"resource_provider": {"uuid": row.id}, "resources": resources}]}
    shown: dict[str, Any] = {"allocations": {row.id: {"resources": resources}}}
    if version >= versions.MAPPINGS:
        shown["mappings"] = {suffix: [row.id] for suffix in asked.wishes}
    return shown


class CandidatesApi(Endpoint):
    """/allocation_candidates"""

    SINCE = versions.CANDIDATES

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Requests that could be made, and summaries of the providers in them."""
        self.allow(req, "placement:allocation_candidates:list")
        version, asked = version_of(req), read(req)
        with self.db.read() as session:
            rows = candidates(session, asked)
            shown = summaries(session, rows, asked, version)
        requests = [_request(row, asked, version) for row in rows]
        reply(req, resp, {"allocation_requests": requests, "provider_summaries": shown})
