"""JSON patches of an image, in the two forms that the image API speaks, as a list of changes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from controller.image.images.create import refuse_fixed
from controller.web.errors import BadRequest, Forbidden, UnsupportedMedia

_OPERATIONS = ("add", "remove", "replace")
#: Content type to whether it is the old form, where the operation's name is a key.
_FORMS = {
    "application/openstack-images-v2.0-json-patch": True,
    "application/openstack-images-v2.1-json-patch": False,
}


@dataclass(frozen=True)
class Change:
    """One operation on one attribute. ``is_strict``: adding what is there is a conflict (old form)."""

    operation: str
    name: str
    value: Any = None
    is_strict: bool = False


def read(content_type: str, document: Any, check: Callable[[Any], Any]) -> list[Change]:
    """The changes of a body; ``check`` checks an image of one attribute.

    Raises UnsupportedMedia, BadRequest, and Forbidden for a fixed attribute.
    """
    form = content_type.partition(";")[0].strip()
    if form not in _FORMS:
        known = ", ".join(sorted(_FORMS))
        raise UnsupportedMedia(
            f"Image PATCH expects Content-Type one of: {known}", headers={"Accept-Patch": known}
        )
    if not isinstance(document, list):
        raise BadRequest("Request body must be a JSON array of operation objects.")
    changes = [_change(entry, _FORMS[form]) for entry in document]
    for change in changes:
        if change.operation != "remove":
            check({change.name: change.value})
    return changes


def _change(entry: Any, is_old: bool) -> Change:
    if not isinstance(entry, dict):
        raise BadRequest("Operations must be JSON objects.")
    operation, path = _old_form(entry) if is_old else _new_form(entry)
    name = _name(path)
    if operation != "remove" and "value" not in entry:
        raise BadRequest(f'Operation "{operation}" requires a member named "value".')
    return Change(operation, name, entry.get("value"), is_old)


def _new_form(entry: dict[str, Any]) -> tuple[str, Any]:
    operation = entry.get("op")
    if operation not in _OPERATIONS:
        raise BadRequest(f"Invalid operation: {operation!r}. It must be one of: {', '.join(_OPERATIONS)}.")
    if "path" not in entry:
        raise BadRequest("Unable to find 'path' in JSON Schema change")
    return str(operation), entry["path"]


def _old_form(entry: dict[str, Any]) -> tuple[str, Any]:
    named = [operation for operation in _OPERATIONS if operation in entry]
    if len(named) != 1:
        raise BadRequest('Operation objects must contain one member named "add", "remove", or "replace".')
    return named[0], entry[named[0]]


def _name(path: Any) -> str:
    """The attribute that a JSON pointer names; only pointers of one part are taken."""
    if not isinstance(path, str) or not path.startswith("/"):
        raise BadRequest(f"Pointer `{path}` does not start with '/'.")
    if re.search(r"~(?![01])", path):
        raise BadRequest(f"Pointer `{path}` contains '~' not part of a recognized escape sequence.")
    parts = [part.replace("~1", "/").replace("~0", "~").strip() for part in path[1:].split("/")]
    if parts[0] == "locations":
        raise Forbidden("It's not allowed to change the locations of an image.")
    if len(parts) != 1 or not parts[0]:
        raise BadRequest(f"Invalid JSON pointer for this resource: '{path}'")
    if parts[0] == "id":
        raise Forbidden("Attribute 'id' is read-only.")
    refuse_fixed({parts[0]: None})
    return parts[0]
