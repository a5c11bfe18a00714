"""What identity's API classes share: HEAD as GET, own resources, lists with keystone's links, open bodies."""

import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import falcon
from sqlalchemy import Select, func
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from controller.identity.tools import Tools, of
from controller.web import paging
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Conflict, Forbidden, InvalidBody, NotFound
from controller.web.fields import Fields, Show, View
from controller.web.resource import Cloud, Resource, base_url, body_of, caller_of, params_of
from controller.web.schema import Schema, as_bool

#: The domain of what is created without naming one.
DEFAULT_DOMAIN = "default"

BOOLEAN: Schema = {
    "anyOf": [
        {"type": "boolean"},
        {"enum": ["True", "TRUE", "true", "False", "FALSE", "false", "1", "0", "y", "Y", "n", "N"]},
        {"enum": ["on", "ON", "off", "OFF", "yes", "no"]},
    ]
}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"\S"}
SHORT_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": r"\S"}
NULLABLE_TEXT: Schema = {"type": ["string", "null"], "maxLength": 16000}
ID: Schema = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": r"^[a-zA-Z0-9-]+$"}
NULLABLE_ID: Schema = {"anyOf": [ID, {"type": "null"}]}
#: Options of a resource: the only one that all have.
IMMUTABLE: Schema = {
    "type": "object",
    "properties": {"immutable": {"type": ["boolean", "null"]}},
    "additionalProperties": False,
}


class IdentityResource(Resource):
    """Root of identity's API classes. HEAD is answered as GET without the body."""

    def __init_subclass__(cls) -> None:
        get = getattr(cls, "on_get", None)
        if get is not None and not hasattr(cls, "on_head"):
            cls.on_head = get  # type: ignore[attr-defined]

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.tools: Tools = of(cloud)

    def allow_own(self, req: falcon.Request, rule: str, is_own: bool) -> Caller:
        """As ``allow``, by the rule ``…:own`` when the resource is the caller's (or is the caller)."""
        return self.allow(req, f"{rule}:own" if is_own else rule)

    def given(self, req: falcon.Request, fields: Fields, verb: str) -> "Given":
        """What the body says. Raises InvalidBody, and BadRequest for an update that says nothing."""
        document = body_of(req)
        values = fields.body(verb, document, caller_of(req), self.cloud.policy)
        inner: Mapping[str, Any] = document[fields.singular]
        if verb == "update" and not inner:
            raise InvalidBody(f"The {fields.singular} in the body has no attribute: give at least one.")
        taken = {*fields.by_name, "links"}
        return Given(values, {k: v for k, v in inner.items() if k not in taken}, inner)


@dataclass(frozen=True)
class Given:
    """A body: the values of known names by attribute, those of unknown names, and all as it was sent."""

    values: dict[str, Any]
    extra: dict[str, Any]
    raw: Mapping[str, Any]

    def must_keep(self, **kept: Any) -> None:
        """Raises BadRequest when the body names one of these with another value."""
        for name, value in kept.items():
            if name in self.raw and self.raw[name] != value:
                raise BadRequest(f"{name} cannot be changed: leave it out of the body.")


# --- rows


def found(session: Session, model: type[Any], key: str, what: str) -> Any:
    """The row. Raises NotFound."""
    row = session.get(model, key)
    if row is None:
        raise NotFound(f"Could not find {what}: {key}.")
    return row


def flush(session: Session, conflict: str) -> None:
    """Sends the changes to the database. Raises Conflict with this sentence if a name is taken."""
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(conflict) from None


def apply(row: Any, given: Given) -> None:
    """Sets the row's attributes as the body says; null options are removed, null extras too.

    Raises Forbidden for a row that is immutable, unless that is what changes.
    """
    options = given.values.get("options")
    if is_immutable(row) and not (options and options.get("immutable") in (False, None)):
        raise Forbidden(f"{row.id} is immutable: unset its option immutable first.")
    for name, value in given.values.items():
        if name != "options":
            setattr(row, name, value)
    if options is not None:
        row.options = {k: v for k, v in {**row.options, **options}.items() if v is not None}
    if given.extra:
        row.extra = {k: v for k, v in {**row.extra, **given.extra}.items() if v is not None}


def is_immutable(row: Any) -> bool:
    """Whether the option that forbids changes is set."""
    return bool(getattr(row, "options", {}).get("immutable"))


# --- answers


def links(collection: str) -> Show:
    """Shows the link of a row to itself."""
    return lambda row, view: {"self": f"{view.base_url}/v3/{collection}/{urllib.parse.quote(row.id)}"}


def shown(fields: Fields, row: Any, view: View) -> dict[str, Any]:
    """A row with the attributes that clients added to it."""
    return {**row.extra, **fields.view(row, view)}


def one(fields: Fields, row: Any, view: View) -> dict[str, Any]:
    """The answer about one row."""
    return {fields.singular: shown(fields, row, view)}


def enabled(text: str) -> bool:
    """How keystone reads booleans of queries: anything but a no is a yes."""
    return not text or text.lower() not in ("0", "false", "no", "off", "n", "f")


#: Stores a BOOLEAN.
store_bool = as_bool


# --- lists


@dataclass(frozen=True)
class Listed:
    """Rows of a page with the URL of the next one, None for the last."""

    rows: Sequence[Any]
    next_url: str | None = None


def listed(
    req: falcon.Request, session: Session, statement: Select[Any], model: type[Any], fields: Fields
) -> Listed:
    """Runs a select of ``model`` as the query asks: filters (also inexact ones), sort, page. One query."""
    params = params_of(req)
    statement = paging.apply_filters(statement, model, fields, params)
    statement = _inexact(statement, model, fields, params)
    page = paging.asked(params, [])
    statement = paging.apply_page(session, statement, model, fields, page)
    rows, has_more = paging.cut(session.execute(statement).all(), page)
    following = (
        paging.next_url(f"{base_url(req)}{req.path}", params, rows[-1].id) if has_more and rows else None
    )
    return Listed(rows, following)


def collection(
    req: falcon.Request, plural: str, members: Sequence[dict[str, Any]], next_url: str | None = None
) -> dict[str, Any]:
    """The answer about a list, with keystone's links."""
    query = f"?{req.query_string}" if req.query_string else ""
    body: dict[str, Any] = {
        plural: members,
        "links": {"next": next_url, "self": f"{base_url(req)}{req.path}{query}", "previous": None},
    }
    if next_url:
        body["truncated"] = True
    return body


def many(req: falcon.Request, fields: Fields, page: Listed, view: View) -> dict[str, Any]:
    """The answer about a page of rows."""
    return collection(req, fields.plural, [shown(fields, row, view) for row in page.rows], page.next_url)


def _inexact(
    statement: Select[Any], model: type[Any], fields: Fields, params: Mapping[str, list[str]]
) -> Select[Any]:
    """Filters as name__contains; with an i before the word, without regard to case."""
    for key, texts in params.items():
        name, separator, comparison = key.partition("__")
        known = fields.by_name.get(name)
        if not separator or known is None or known.filter is None or known.attribute.startswith("is_"):
            continue
        column, text = getattr(model, known.filter_attr or known.attribute), texts[0]
        if comparison.startswith("i"):
            column, text, comparison = func.lower(column), text.lower(), comparison[1:]
        if comparison in ("contains", "startswith", "endswith"):
            statement = statement.where(getattr(column, comparison)(text, autoescape=True))
    return statement
