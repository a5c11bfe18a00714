"""Lists: filter, sort, page and the links to the next page, from a resource's fields.

Works on Core selects, so that a list costs one query whatever its length.
"""

import functools
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import Session

from controller.web.errors import BadRequest
from controller.web.fields import Field, Fields, boolean
from controller.web.versions import UNVERSIONED, Version

Row = Any

#: A larger limit means the same, and would not fit into the database's integers.
MAX_LIMIT = 1 << 31


@dataclass(frozen=True)
class Page:
    """What a request asks of a list. ``limit`` None means all."""

    limit: int | None
    marker: str | None
    sort: tuple[tuple[str, bool], ...]
    is_reverse: bool = False


def asked(
    params: Mapping[str, list[str]], default_sort: Sequence[tuple[str, bool]], max_limit: int | None = None
) -> Page:
    """Reads limit, marker, sort_key(s), sort_dir(s), sort and page_reverse.

    ``sort`` entries are (field name, is ascending). Raises BadRequest for a limit that is no number.
    """
    limit = _limit(params.get("limit", [""])[0], max_limit)
    sort = _sort(params) or tuple(default_sort)
    reverse = params.get("page_reverse", ["false"])[0].lower() == "true"
    return Page(limit, params.get("marker", [None])[0] or None, sort, reverse)


def apply_filters(
    statement: Select[Any],
    model: Any,
    fields: Fields,
    params: Mapping[str, list[str]],
    version: Version = UNVERSIONED,
) -> Select[Any]:
    """Narrows the select by every query parameter that is a filterable field; several values mean any.

    Raises BadRequest for a value that cannot be compared.
    """
    for name, f in fields.filters(version).items():
        texts = params.get(name)
        if not texts:
            continue
        try:
            values = [f.filter(text) for text in texts]  # type: ignore[misc]
        except ValueError:
            raise BadRequest(f"Invalid value {texts[0]!r} for filter {name}.") from None
        column = getattr(model, f.filter_attr or f.attribute)
        statement = statement.where(column == values[0] if len(values) == 1 else column.in_(values))
    return statement


def apply_condition(
    statement: Select[Any], params: Mapping[str, list[str]], name: str, condition: ColumnElement[bool]
) -> Select[Any]:
    """Narrows the select by a boolean parameter that is no column. Raises BadRequest for what is no boolean."""
    for text in params.get(name, ()):
        try:
            statement = statement.where(condition if boolean(text) else ~condition)
        except ValueError:
            raise BadRequest(f"Invalid value {text!r} for filter {name}.") from None
    return statement


def apply_page(
    session: Session, statement: Select[Any], model: Any, fields: Fields, page: Page
) -> Select[Any]:
    """Sorts and cuts the select. One more row than the limit is fetched: it tells of a next page.

    Raises BadRequest for an unknown sort key or marker.
    """
    columns = [(_column(model, fields, name), ascending != page.is_reverse) for name, ascending in page.sort]
    columns.append((model.id, not page.is_reverse))
    if page.marker is not None:
        statement = statement.where(_after(session, model, columns, page.marker))
    statement = statement.order_by(*(c.asc() if up else c.desc() for c, up in columns))
    return statement if page.limit is None else statement.limit(page.limit + 1)


def cut(rows: Sequence[Row], page: Page) -> tuple[list[Row], bool]:
    """The rows of this page, and whether more follow."""
    has_more = page.limit is not None and len(rows) > page.limit
    shown = list(rows[: page.limit]) if page.limit is not None else list(rows)
    if page.is_reverse:
        shown.reverse()
    return shown, has_more


def next_url(url: str, params: Mapping[str, list[str]], marker: str) -> str:
    """The URL of the page after ``marker``, with all else as it was asked."""
    kept = [(k, v) for k, values in params.items() if k != "marker" for v in values]
    return f"{url}?{urllib.parse.urlencode([*kept, ('marker', marker)])}"


def counted(params: Mapping[str, list[str]], name: str) -> int | None:
    """The first value of a parameter that counts something; None without one.

    Raises BadRequest for what is no number, or a negative one. A larger one than MAX_LIMIT means that.
    """
    text = params.get(name, [""])[0]
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 100):
        raise BadRequest(f"{name} must be an integer that is not negative, not {text[:40]!r}.")
    return min(int(text), MAX_LIMIT)


def _limit(text: str, max_limit: int | None) -> int | None:
    if not text:
        return max_limit
    try:
        limit = int(text)
    except ValueError:
        raise BadRequest(f"limit must be an integer, not {text!r}.") from None
    if limit < 0:
        raise BadRequest("limit must not be negative.")
    return min(limit, MAX_LIMIT if max_limit is None else max_limit)


def _sort(params: Mapping[str, list[str]]) -> tuple[tuple[str, bool], ...]:
    if "sort" in params:
        parts = [p for text in params["sort"] for p in text.split(",") if p]
        pairs = [(p.partition(":")[0], p.partition(":")[2]) for p in parts]
    else:
        keys = params.get("sort_key", [])
        directions = params.get("sort_dir", [])
        pairs = [(k, directions[i] if i < len(directions) else "") for i, k in enumerate(keys)]
    for _, direction in pairs:
        if direction not in ("", "asc", "desc"):
            raise BadRequest(f"sort direction must be asc or desc, not {direction!r}.")
    explicit_default = "asc" if "sort" not in params and params.get("sort_dir") else "desc"
    return tuple((k, (d or explicit_default) == "asc") for k, d in pairs)


def _column(model: Any, fields: Fields, name: str) -> Any:
    f: Field | None = fields.sort_keys().get(name)
    if f is None:
        allowed = ", ".join(sorted(fields.sort_keys()))
        raise BadRequest(f"{name!r} is no sort key here: use one of {allowed}.")
    return getattr(model, f.filter_attr or f.attribute)


def _after(
    session: Session, model: Any, columns: Sequence[tuple[Any, bool]], marker: str
) -> ColumnElement[bool]:
    row = session.get(model, marker)
    if row is None:
        raise BadRequest(f"marker {marker} could not be found.")
    values = [getattr(row, c.key) for c, _ in columns]
    steps = []
    for i, (column, ascending) in enumerate(columns):
        beyond = _beyond(column, values[i], ascending)
        if beyond is None:
            continue
        equal = [
            c == v if v is not None else c.is_(None)
            for (c, _), v in zip(columns[:i], values[:i], strict=True)
        ]
        steps.append(and_(*equal, beyond))
    return functools.reduce(or_, steps)


def _beyond(column: Any, value: Any, ascending: bool) -> ColumnElement[bool] | None:
    """What comes after a value in one column, None for nothing. NULL comes first when ascending."""
    result: ColumnElement[bool]
    if value is None:
        return column.is_not(None) if ascending else None
    result = column > value if ascending else column < value
    return or_(result, column.is_(None)) if not ascending and column.property.columns[0].nullable else result
