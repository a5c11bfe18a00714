"""The body of POST /v3/auth/tokens: its schema, and what it asks for as structs."""

from dataclasses import dataclass
from typing import Any

from controller.identity.tokens import payload
from controller.web.errors import BadRequest
from controller.web.schema import Schema, compile_schema

_TEXT: Schema = {"type": "string", "maxLength": 4096}
_DOMAIN: Schema = {
    "type": "object",
    "properties": {"id": _TEXT, "name": _TEXT},
    "anyOf": [{"required": ["id"]}, {"required": ["name"]}],
}
_NAMED: Schema = {
    "type": "object",
    "properties": {"id": _TEXT, "name": _TEXT, "domain": _DOMAIN},
    "anyOf": [{"required": ["id"]}, {"required": ["name"]}],
}
_USER: Schema = {**_NAMED, "properties": {**_NAMED["properties"], "password": _TEXT}}
_APPLICATION_CREDENTIAL: Schema = {
    "type": "object",
    "properties": {"id": _TEXT, "name": _TEXT, "secret": _TEXT, "user": _NAMED},
    "required": ["secret"],
    "anyOf": [{"required": ["id"]}, {"required": ["name", "user"]}],
}
_IDENTITY: Schema = {
    "type": "object",
    "properties": {
        "methods": {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 8},
        "password": {"type": "object", "properties": {"user": _USER}, "required": ["user"]},
        "token": {"type": "object", "properties": {"id": _TEXT}, "required": ["id"]},
        "application_credential": _APPLICATION_CREDENTIAL,
    },
    "required": ["methods"],
}
_SCOPE: Schema = {
    "type": ["object", "string"],
    "properties": {
        "project": _NAMED,
        "domain": _DOMAIN,
        "system": {"type": "object", "properties": {"all": {"enum": [True]}}},
        "OS-TRUST:trust": {"type": "object", "properties": {"id": _TEXT}},
    },
}
_check = compile_schema(
    {
        "type": "object",
        "properties": {
            "auth": {
                "type": "object",
                "properties": {"identity": _IDENTITY, "scope": _SCOPE},
                "required": ["identity"],
            }
        },
        "required": ["auth"],
    }
)


@dataclass(frozen=True)
class Reference:
    """Something by id, or by name in a domain by id or name."""

    id: str = ""
    name: str = ""
    domain_id: str = ""
    domain_name: str = ""


@dataclass(frozen=True)
class Scope:
    """What is asked for. ``kind`` is one of payload.UNSCOPED…SYSTEM, or None when the body says nothing."""

    kind: int | None
    target: Reference = Reference()


@dataclass(frozen=True)
class Asked:
    """The whole request: how to authenticate (``methods`` with the part of each), and for what."""

    methods: dict[str, dict[str, Any]]
    scope: Scope


def parse(body: Any) -> Asked:
    """From the body. Raises InvalidBody and BadRequest."""
    auth = _check(body)["auth"]
    identity = auth["identity"]
    methods = {}
    for method in identity["methods"]:
        if method in payload.METHODS and method not in identity:
            raise BadRequest(f"Expecting to find {method} in identity, because methods names it.")
        methods[method] = identity.get(method, {})
    return Asked(methods, _scope(auth.get("scope")))


def reference(named: dict[str, Any]) -> Reference:
    """From ``{"id"}`` or ``{"name", "domain": {"id"} or {"name"}}``. Raises BadRequest without a domain."""
    if "id" in named:
        return Reference(id=named["id"])
    domain = named.get("domain")
    if domain is None:
        raise BadRequest("Expecting to find domain beside a name: names are only unique in their domain.")
    return Reference("", named["name"], domain.get("id", ""), domain.get("name", ""))


def _scope(scope: Any) -> Scope:
    if scope is None:
        return Scope(None)
    if isinstance(scope, str):
        if scope != "unscoped":
            raise BadRequest(f"scope must be an object or 'unscoped', not {scope[:40]!r}.")
        return Scope(payload.UNSCOPED)
    if "OS-TRUST:trust" in scope:
        raise BadRequest("Trusts are not offered: use an application credential.")
    kinds = [k for k in ("project", "domain", "system", "unscoped") if k in scope]
    if len(kinds) != 1:
        raise BadRequest("scope must name exactly one of project, domain, system and unscoped.")
    if kinds == ["project"]:
        return Scope(payload.PROJECT, reference(scope["project"]))
    if kinds == ["domain"]:
        return Scope(
            payload.DOMAIN, Reference(scope["domain"].get("id", ""), scope["domain"].get("name", ""))
        )
    return Scope(payload.SYSTEM if kinds == ["system"] else payload.UNSCOPED)
