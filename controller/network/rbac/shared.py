"""The field ``shared`` of resources: whether a policy opens a row to the caller's project."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from controller.network.rbac import model as rbac
from controller.web import paging, schema
from controller.web.caller import Caller
from controller.web.fields import UNSET, Field, Fields, View

NAME = "shared"


def field(*, create: bool = True, update: bool = False, rule: str = "") -> Field:
    """The field, set by whom the policy rule lets; a kind with it loads ``related``."""
    return Field(
        name=NAME,
        attr="is_shared",
        schema=schema.LOOSE_BOOLEAN,
        create=create,
        update=update,
        default=False if create else UNSET,
        store=schema.as_bool,
        show=_is_shared,
        set=rule,
    )


def related(session: Session, rows: Sequence[Any]) -> Mapping[str, Any]:
    """What the field is shown by, as ``shared_with``."""
    return rbac.targets(session, [row.id for row in rows])


def refine(
    statement: Select[Any], model: Any, fields: Fields, caller: Caller, params: Mapping[str, list[str]]
) -> Select[Any]:
    """Narrows a list by ``shared``, which is no column. Raises BadRequest for what is no boolean."""
    if NAME not in fields.by_name:
        return statement
    return paging.apply_condition(statement, params, NAME, rbac.granted(model.id, caller.own_project))


def _is_shared(row: Any, view: View) -> bool:
    found: set[str] = view.of("shared_with", row.id, set())
    return not found.isdisjoint((rbac.EVERYBODY, view.caller.own_project))
