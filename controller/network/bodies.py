"""Bodies as neutron takes them: one resource or many, unknown attributes named, owners under two names."""

from collections.abc import Mapping
from typing import Any

from controller.network import refusals
from controller.web.caller import Caller
from controller.web.errors import Forbidden
from controller.web.fields import Fields
from controller.web.policy import Policy

#: More would keep other writers waiting too long.
MAX_BULK = 500


def items(fields: Fields, document: Any) -> tuple[list[Any], bool]:
    """The insides of a create body, and whether it was a bulk body. Raises BadRequest."""
    if not isinstance(document, dict):
        raise refusals.malformed("Resource body required")
    if fields.singular in document:
        return [document[fields.singular]], False
    bulk = document.get(fields.plural)
    if not isinstance(bulk, list):
        raise refusals.malformed(f"Unable to find '{fields.singular}' in request body")
    if not 0 < len(bulk) <= MAX_BULK:
        raise refusals.malformed(f"Resource body required: between 1 and {MAX_BULK} {fields.plural}.")
    return bulk, True


def inner(fields: Fields, document: Any) -> Any:
    """The inside of an update body. Raises BadRequest."""
    if not isinstance(document, dict) or fields.singular not in document:
        raise refusals.malformed(f"Unable to find '{fields.singular}' in request body")
    return document[fields.singular]


def created(fields: Fields, given: Any, caller: Caller, policy: Policy) -> dict[str, Any]:
    """Accepted values of a new resource by attribute, with ``project_id``. Raises BadRequest, Forbidden."""
    values = taken(fields, given, caller, policy)
    values["project_id"] = _owner(given, caller)
    return values


def taken(fields: Fields, given: Any, caller: Caller, policy: Policy) -> dict[str, Any]:
    """As ``created``, for what has no owner of its own."""
    given = _known(fields, given, "create")
    missing = [f.name for f in fields.fields if f.required and f.create and f.name not in given]
    if missing:
        raise refusals.malformed(f"Failed to parse request. Required attribute '{missing[0]}' not specified")
    return fields.values("create", fields.check("create", given), caller, policy)


def updated(fields: Fields, given: Any, caller: Caller, policy: Policy) -> dict[str, Any]:
    """Accepted values of a change by attribute. Raises BadRequest, Forbidden."""
    given = _known(fields, given, "update")
    return fields.values("update", fields.check("update", given), caller, policy)


def _known(fields: Fields, given: Any, verb: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise refusals.malformed(f"The value of '{fields.singular}' must be an object.")
    unknown = sorted(set(given) - set(fields.by_name))
    if unknown:
        raise refusals.malformed(f"Unrecognized attribute(s) '{', '.join(unknown)}'")
    for name in given:
        f = fields.by_name[name]
        if verb == "create" and not f.create:
            raise refusals.malformed(f"Attribute '{name}' not allowed in POST")
        if verb == "update" and not f.update:
            raise refusals.malformed(f"Cannot update read-only attribute {name}")
    return given


def _owner(given: Mapping[str, Any], caller: Caller) -> str:
    names = {given[name] for name in ("project_id", "tenant_id") if isinstance(given.get(name), str)}
    if len(names) > 1:
        raise refusals.malformed("'project_id' and 'tenant_id' are given and differ: give one of them.")
    owner = names.pop() if names else caller.own_project
    if owner != caller.own_project and not caller.is_admin:
        raise refusals.malformed(
            "Specifying 'project_id' or 'tenant_id' other than the authenticated project in a request "
            "requires admin privileges"
        )
    if not owner:
        raise Forbidden("Name a project_id, or use a token that is scoped to a project.")
    return str(owner)
