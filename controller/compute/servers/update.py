"""``PUT /servers/{id}``, metadata and tags: what may be changed without touching the guest's devices."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from controller.compute.servers import lookup
from controller.compute.servers.model import Server
from controller.compute.servers.power import unlocked
from controller.db.outbox import changed
from controller.operations import quota
from controller.web.caller import Caller
from controller.web.errors import Forbidden, NotFound


def update(session: Session, caller: Caller, server_id: str, values: dict[str, Any]) -> Server:
    """Writes the given attributes. Raises NotFound, Conflict."""
    server = unlocked(session, caller, server_id)
    for name, value in values.items():
        setattr(server, name, value)
    changed(session, "server", server_id)
    return server


def change_metadata(
    session: Session, caller: Caller, server_id: str, change: Callable[[dict[str, str]], dict[str, str]]
) -> dict[str, str]:
    """Applies ``change`` to the server's metadata. Raises NotFound, OverQuota."""
    server = unlocked(session, caller, server_id)
    meta = change(dict(server.meta))
    quota.check(session, server.project_id, "compute", {"metadata_items": len(meta)})
    server.meta = meta
    changed(session, "server", server_id)
    return meta


def set_lock(session: Session, caller: Caller, server_id: str, lock: tuple[bool, str | None]) -> None:
    """Locks the server against changes by its owner, or unlocks it; ``lock`` is (is locked, reason).

    An owner's second lock changes nothing. Raises Forbidden: what somebody of another project (an
    administrator) locked, only an administrator unlocks.
    """
    server = lookup.find(session, caller, server_id, lock=True)
    is_locked, reason = lock
    is_owner = caller.project_id == server.project_id
    if is_locked and server.is_locked and is_owner:
        return
    if not is_locked and server.locked_by == "admin" and not caller.is_admin:
        raise Forbidden(f"Instance {server_id} was locked by an administrator: only one can unlock it.")
    server.is_locked, server.locked_reason = is_locked, reason
    server.locked_by = ("owner" if is_owner else "admin") if is_locked else None


def item(meta: dict[str, str], key: str) -> str:
    """One metadata item. Raises NotFound."""
    if key not in meta:
        raise NotFound(f"Metadata item {key} was not found.")
    return meta[key]
