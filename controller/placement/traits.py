"""Traits: qualities of providers, standard names and custom ones, and which provider has which."""

from collections.abc import Iterable

import falcon
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from controller.placement import providers
from controller.placement.endpoint import Endpoint, checked_body, date, query, reply
from controller.placement.model import Provider, ProviderTrait, Trait
from controller.placement.standard import TRAITS
from controller.placement.versions import TRAITS as SINCE
from controller.web.errors import BadRequest, Conflict, NotFound
from controller.web.resource import no_content
from controller.web.schema import compile_schema

_NAME = compile_schema({"type": "string", "maxLength": 255, "pattern": "^CUSTOM_[A-Z0-9_]+$"})
_PUT = compile_schema(
    {
        "type": "object",
        "properties": {
            "traits": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 255}},
            "resource_provider_generation": {"type": "integer"},
        },
        "required": ["traits", "resource_provider_generation"],
        "additionalProperties": False,
    }
)


def known_traits(session: Session, names: Iterable[str]) -> set[str]:
    """Those of ``names`` that exist."""
    wanted = set(names)
    custom = wanted - TRAITS
    found = set(session.scalars(select(Trait.name).where(Trait.name.in_(custom)))) if custom else set()
    return found | (wanted & TRAITS)


def of_provider(session: Session, provider_id: str) -> list[str]:
    """The traits of a provider."""
    return list(
        session.scalars(
            select(ProviderTrait.trait)
            .where(ProviderTrait.provider_id == provider_id)
            .order_by(ProviderTrait.trait)
        )
    )


def set_traits(
    session: Session, provider_id: str, names: Iterable[str], generation: int | None = None
) -> Provider:
    """Replaces the traits of a provider. Raises NotFound, Conflict, BadRequest for unknown traits."""
    if generation is None:
        providers.lock(session, [provider_id])
        provider = providers.get(session, provider_id)
    else:
        provider = providers.lock_at(session, provider_id, generation)
    wanted = set(names)
    missing = wanted - known_traits(session, wanted)
    if missing:
        raise BadRequest(f"No such trait {', '.join(sorted(missing))}")
    session.execute(delete(ProviderTrait).where(ProviderTrait.provider_id == provider_id))
    if wanted:
        session.execute(
            insert(ProviderTrait),
            [{"provider_id": provider_id, "trait": name} for name in sorted(wanted)],
        )
    return provider


def create(session: Session, name: str) -> bool:
    """Makes a custom trait; False if it was there."""
    if session.get(Trait, name) is not None:
        return False
    session.add(Trait(name=name))
    session.flush()
    return True


def remove(session: Session, name: str) -> None:
    """Deletes a custom trait. Raises NotFound, BadRequest for a standard one, Conflict while in use."""
    if name in TRAITS:
        raise BadRequest(f"Cannot delete standard trait {name}.")
    if session.get(Trait, name) is None:
        raise _no_trait(name)
    if session.scalar(select(func.count()).where(ProviderTrait.trait == name)):
        raise Conflict(f"The trait {name} is in use by a resource provider.")
    session.execute(delete(Trait).where(Trait.name == name))


def names(session: Session, params: dict[str, list[str]]) -> list[str]:
    """Traits by ``name=in:`` or ``name=startswith:`` and ``associated``. Raises BadRequest."""
    found = set(TRAITS) | set(session.scalars(select(Trait.name)))
    if "name" in params:
        word, colon, value = params["name"][-1].partition(":")
        if not colon:
            raise BadRequest(
                "Badly formatted name parameter. Expected name query string parameter in form: "
                f'?name=[in|startswith]:[name1,name2|prefix]. Got: "{word}"'
            )
        if word == "in":
            found &= set(value.split(","))
        elif word == "startswith":
            found = {name for name in found if name.startswith(value)}
    if "associated" in params:
        asked = params["associated"][-1].lower()
        if asked not in ("true", "false"):
            raise BadRequest('The query parameter "associated" only accepts "true" or "false"')
        associated = set(session.scalars(select(ProviderTrait.trait).distinct()))
        found = found & associated if asked == "true" else found - associated
    return sorted(found)


def _no_trait(name: str) -> NotFound:
    return NotFound(f"No such trait(s): {name}.")


class TraitsApi(Endpoint):
    """/traits"""

    SINCE = SINCE

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """All names, or those asked for."""
        self.allow(req, "placement:traits:list")
        params = query(req, {"name": None, "associated": None})
        with self.db.read() as session:
            reply(req, resp, {"traits": names(session, params)})


class TraitApi(Endpoint):
    """/traits/{name}"""

    SINCE = SINCE

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Whether it exists."""
        self.allow(req, "placement:traits:show")
        with self.db.read() as session:
            if not known_traits(session, [name]):
                raise _no_trait(name)
        no_content(resp)
        date(req, resp)

    def on_put(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Makes sure that a custom trait exists."""
        self.allow(req, "placement:traits:update")
        _NAME(name)
        is_new = self.db.write(lambda s: create(s, name))
        no_content(resp, 201 if is_new else 204)
        resp.content_type = None
        resp.location = f"{req.root_path}/traits/{name}"
        date(req, resp)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Deletes a custom trait."""
        self.allow(req, "placement:traits:delete")
        self.db.write(lambda s: remove(s, name))
        no_content(resp)


class ProviderTraitsApi(Endpoint):
    """/resource_providers/{uuid}/traits"""

    SINCE = SINCE

    def on_get(self, req: falcon.Request, resp: falcon.Response, uuid: str) -> None:
        """The provider's traits."""
        self.allow(req, "placement:resource_providers:traits:list")
        with self.db.read() as session:
            provider = providers.get(session, uuid)
            found = of_provider(session, uuid)
        reply(req, resp, {"traits": found, "resource_provider_generation": provider.generation})

    def on_put(self, req: falcon.Request, resp: falcon.Response, uuid: str) -> None:
        """Replaces them."""
        self.allow(req, "placement:resource_providers:traits:update")
        body = checked_body(req, _PUT)
        wanted, at = body["traits"], body["resource_provider_generation"]
        provider = self.db.write(lambda s: set_traits(s, uuid, wanted, at))
        shown = {"traits": sorted(set(wanted)), "resource_provider_generation": provider.generation}
        reply(req, resp, shown)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, uuid: str) -> None:
        """Removes all."""
        self.allow(req, "placement:resource_providers:traits:delete")
        self.db.write(lambda s: set_traits(s, uuid, ()))
        no_content(resp)
