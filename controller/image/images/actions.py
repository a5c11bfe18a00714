"""Deactivating and reactivating an image, and importing what was staged for it."""

from typing import Any

from sqlalchemy.orm import Session

from controller.image.images import access, states
from controller.image.images.upload import Place
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Conflict, Forbidden


def switch(session: Session, caller: Caller, image_id: str, event: str) -> None:
    """Deactivates or reactivates; nothing if it is so already. Raises NotFound, Forbidden."""
    image = access.lock_own(session, caller, image_id)
    before, after = states.MOVES[event]
    if image.status not in before:
        raise Forbidden(f"Not allowed to {event} image in status '{image.status}'.")
    if image.status != after:
        states.move(session, image_id, event)


def read_import(body: Any, methods: list[str]) -> str:
    """The name of the method that a body asks for. Raises BadRequest."""
    method = body.get("method") if isinstance(body, dict) else None
    if not isinstance(method, dict):
        raise BadRequest("Import request requires a 'method' field.")
    name = method.get("name")
    if not isinstance(name, str):
        raise BadRequest("Import request requires a 'name' field.")
    if name not in methods:
        raise BadRequest(f"Unknown import method name '{name}'.")
    for flag in ("all_stores", "all_stores_must_succeed"):
        if not isinstance(body.get(flag, True), bool):
            raise BadRequest(f"'{flag}' must be boolean value only")
    if body.get("stores") or body.get("all_stores"):
        raise BadRequest("Only one store is there: leave stores and all_stores out.")
    return name


def import_staged(place: Place, caller: Caller, image_id: str) -> None:
    """Makes an image active with what was staged: its file is moved, then the row says so.

    Raises NotFound, Forbidden, Conflict when nothing is staged.
    """
    with place.db.read() as session:
        _staged(session, caller, image_id)
    with place.store.writing(image_id):
        with place.db.read() as session:
            received = _staged(session, caller, image_id)
        try:
            place.store.import_staged(image_id)
        except FileNotFoundError:
            raise Conflict(f"What was staged for image {image_id} is gone: stage it again.") from None
        place.db.write(lambda s: states.move(s, image_id, "import", staged=None, **received))


def _staged(session: Session, caller: Caller, image_id: str) -> dict[str, Any]:
    image = access.find_own(session, caller, image_id)
    if image.status != "uploading" or image.staged is None:
        raise Conflict(f"Image {image_id} is {image.status}: stage data first, it must be 'uploading'.")
    return image.staged
