"""POST /v3/auth/tokens: from who asks, and for what, to a payload and whom it stands for."""

from sqlalchemy.orm import Session

from controller.db.columns import now
from controller.identity.tokens import lookup, subject
from controller.identity.tokens import payload as payloads
from controller.identity.tokens.identify import Identity
from controller.identity.tokens.payload import DOMAIN, PROJECT, SYSTEM, UNSCOPED, Payload
from controller.identity.tokens.request import Reference, Scope
from controller.identity.tokens.subject import Subject
from controller.web.errors import Unauthorized

#: The same words whether the scope is not there, disabled, or only without a role for this user.
_NO_ROLE = "The user has no role in the scope that was asked for: ask an administrator for one."


def issue(session: Session, identity: Identity, scope: Scope) -> tuple[Payload, Subject]:
    """The new token. Without a scope the user's default project is taken if it can be.

    Raises Unauthorized when the user has no role there.
    """
    if identity.delegation:
        if scope.kind is not None:
            raise Unauthorized("An application credential is for its own project: leave scope out.")
        scope = Scope(PROJECT, Reference(id=identity.project_id))
    if scope.kind is None and identity.default_project_id:
        made = _made(session, identity, PROJECT, identity.default_project_id)
        if made is not None:
            return made
    kind = UNSCOPED if scope.kind is None else scope.kind
    made = _made(session, identity, kind, _target_id(session, kind, scope.target))
    if made is None:
        raise Unauthorized(_NO_ROLE)
    return made


def _made(
    session: Session, identity: Identity, kind: int, target_id: str | None
) -> tuple[Payload, Subject] | None:
    if target_id is None:
        return None
    payload = _payload(identity, kind, target_id)
    found = subject.find(session, payload)
    return None if found is None else (payload, found)


def _payload(identity: Identity, kind: int, target_id: str) -> Payload:
    origin = identity.parent.audit_ids[-1:] if identity.parent else ()
    return Payload(
        user=payloads.packed(identity.user_id),
        scope=kind,
        scope_id=payloads.packed(target_id),
        methods=payloads.method_bits(identity.methods),
        issued_us=payloads.microseconds(now()),
        expires_us=identity.expires_us,
        audit_ids=(payloads.new_audit_id(), *origin),
        generation=identity.generation,
        delegation=payloads.packed(identity.delegation) if identity.delegation else b"",
    )


def _target_id(session: Session, kind: int, wanted: Reference) -> str | None:
    if kind in (UNSCOPED, SYSTEM):
        return ""
    if wanted.id:
        return wanted.id
    if kind == DOMAIN:
        return lookup.domain_id(session, wanted)
    return lookup.project_id(session, wanted)
