"""A token as POST and GET /v3/auth/tokens show it."""

from typing import Any

from controller.identity.tokens import payload as payloads
from controller.identity.tokens.payload import DOMAIN, PROJECT, SYSTEM, UNSCOPED, Payload
from controller.identity.tokens.subject import Named, Subject
from controller.web.fields import micro_time_text


def document(payload: Payload, subject: Subject, catalog: list[dict[str, Any]] | None) -> dict[str, Any]:
    """The inside of ``{"token": ...}``; ``catalog`` None leaves it out, as for unscoped tokens."""
    token: dict[str, Any] = {
        "methods": list(payload.method_names),
        "user": {**_named(subject.user), "password_expires_at": None},
        "audit_ids": list(payload.audit_texts),
        "expires_at": _time(payload.expires_us),
        "issued_at": _time(payload.issued_us),
    }
    if payload.scope == UNSCOPED:
        return token
    token["roles"] = [{"id": role, "name": name} for role, name in sorted(subject.roles, key=lambda r: r[1])]
    token["is_domain"] = False
    if payload.scope == PROJECT and subject.target:
        token["project"] = _named(subject.target)
    elif payload.scope == DOMAIN and subject.target:
        token["domain"] = _named(subject.target)
    elif payload.scope == SYSTEM:
        token["system"] = {"all": True}
    if payload.scope != PROJECT:
        del token["is_domain"]
    if payload.delegation:
        token["application_credential"] = {"id": payload.delegation_id}
    if catalog is not None:
        token["catalog"] = catalog
    return token


def _named(what: Named) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": what.id, "name": what.name}
    if what.domain is not None:
        shown["domain"] = {"id": what.domain.id, "name": what.domain.name}
    return shown


def _time(us: int) -> str:
    return f"{micro_time_text(payloads.moment(us))}Z"
