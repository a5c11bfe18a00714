"""Which images a list shows: filters with their operators, sort and page, from the query string."""

import csv
import datetime
import operator
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from controller.image.images.access import visible
from controller.image.images.fields import VISIBILITIES
from controller.image.images.model import Image, ImageProperty, ImageTag
from controller.web.caller import Caller
from controller.web.errors import BadRequest
from controller.web.fields import Fields, boolean
from controller.web.paging import Page

Params = Mapping[str, list[str]]
Condition = ColumnElement[bool]

#: Parameters that are no filters.
_PAGE = ("limit", "marker", "sort", "sort_key", "sort_dir", "member_status")
_MEMBER_STATUSES = ("pending", "accepted", "rejected", "all")
_LISTABLE = ("id", "name", "status", "disk_format", "container_format")
_COMPARE: dict[str, Callable[[Any, Any], Condition]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
    "neq": operator.ne,
}


def chosen(params: Params, caller: Caller, fields: Fields) -> Select[Any]:
    """The select of all images that the query asks for, without order and page. Raises BadRequest."""
    member_status = params.get("member_status", ["accepted"])[-1]
    if member_status not in _MEMBER_STATUSES:
        raise BadRequest(f"Invalid status: {member_status}")
    statement = select(*Image.__table__.columns).where(
        visible(caller, None if member_status == "all" else member_status),
        _by_visibility(params, caller),
    )
    if "os_hidden" not in params:
        statement = statement.where(Image.os_hidden.is_(False))
    for name, values in params.items():
        if name not in _PAGE and name != "visibility":
            for condition in _conditions(name, values, fields):
                statement = statement.where(condition)
    return statement


def _by_visibility(params: Params, caller: Caller) -> Condition:
    asked = params.get("visibility", [""])[-1]
    if asked == "all":
        return Image.id.is_not(None)
    if asked and asked not in VISIBILITIES:
        raise BadRequest(f"Invalid visibility value: {asked}")
    if asked:
        return Image.visibility == asked
    return (Image.visibility != "community") | (Image.owner == (caller.project_id or ""))


def _conditions(name: str, values: list[str], fields: Fields) -> list[Condition]:
    """What the values of one parameter demand; tags must all be there, else the last value counts."""
    if name == "tag":
        return [Image.id.in_(select(ImageTag.image_id).where(ImageTag.tag == t.strip())) for t in values]
    text = values[-1]
    if name == "changes-since":
        raise BadRequest('The "changes-since" filter is no longer available on v2.')
    if name in ("protected", "os_hidden"):
        return [getattr(Image, name).is_(_boolean(name, text))]
    if name in ("size_min", "size_max"):
        compare = operator.ge if name == "size_min" else operator.le
        return [compare(Image.size, _number(name, text))]
    if name in ("created_at", "updated_at"):
        return [_by_time(getattr(Image, name), text)]
    if name in _LISTABLE and text.startswith("in:"):
        return [getattr(Image, name).in_(_listed(text[3:]))]
    if name in fields.filters():
        return [_by_field(name, text, fields)]
    return [
        Image.id.in_(
            select(ImageProperty.image_id).where(ImageProperty.name == name, ImageProperty.value == text)
        )
    ]


def _by_field(name: str, text: str, fields: Fields) -> Condition:
    column = getattr(Image, name)
    if name in _LISTABLE:
        text = text.removeprefix("eq:")
    read = fields.filters()[name].filter
    try:
        value = read(text) if read else text
    except ValueError:
        raise BadRequest(f"Invalid value {text!r} for filter {name}: it must be a number.") from None
    if isinstance(value, int) and abs(value) >= 1 << 63:
        raise BadRequest(f"Invalid value {text!r} for filter {name}: the number is too big.")
    condition: Condition = column == value
    return condition


def _by_time(column: Any, text: str) -> Condition:
    word, colon, moment = text.partition(":")
    if word not in _COMPARE or not colon:
        word, moment = "eq", text
    try:
        at = datetime.datetime.fromisoformat(moment.strip('"'))
    except ValueError:
        raise BadRequest(
            f"Invalid time {text!r}: write it as gt:2026-01-31T12:00:00Z, with gt, gte, lt, lte, eq or neq."
        ) from None
    if at.tzinfo is not None:
        at = at.astimezone(datetime.UTC).replace(tzinfo=None)
    return _COMPARE[word](column, at)


def _listed(text: str) -> list[str]:
    """``a,"b,c"``, as a line of CSV. Raises BadRequest."""
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error as error:
        raise BadRequest(f"Invalid list of filter values {text!r}: {error}.") from None
    values = [value for row in rows for value in row]
    if not values or text.count('"') % 2:
        raise BadRequest(f"Invalid list of filter values {text!r}.")
    return values


def _boolean(name: str, text: str) -> bool:
    try:
        return boolean(text)
    except ValueError:
        raise BadRequest(f"Invalid value {text!r} for {name}: it must be true or false.") from None


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise BadRequest(f"Invalid value {text!r} for {name}: it must be a number that is not negative.")
    return int(text)


def page_of(params: Params, limits: tuple[int, int]) -> Page:
    """Limit, marker and sort; ``limits`` are the default and the largest number. Raises BadRequest."""
    limit = min(_number("limit", params["limit"][-1]) if "limit" in params else limits[0], limits[1])
    marker = params["marker"][-1] if "marker" in params else None
    return Page(limit, marker, _sort(params))


def first_url(url: str, params: Params) -> str:
    """The URL of the first page of a list, with all else as it was asked."""
    kept = [(name, value) for name, values in params.items() if name != "marker" for value in values]
    return f"{url}?{urllib.parse.urlencode(kept)}" if kept else url


def _sort(params: Params) -> tuple[tuple[str, bool], ...]:
    if "sort" in params:
        if "sort_key" in params or "sort_dir" in params:
            raise BadRequest("Old and new sorting syntax cannot be combined")
        parts = [part.partition(":") for part in params["sort"][-1].split(",")]
        pairs = [(key.strip(), direction.strip() or "desc") for key, _, direction in parts]
    else:
        keys = [key.strip() for key in params.get("sort_key", ["created_at"])]
        directions = [direction.strip() for direction in params.get("sort_dir", ["desc"])]
        if len(directions) not in (1, len(keys)):
            raise BadRequest("Number of sort dirs does not match the number of sort keys")
        pairs = list(zip(keys, directions * (len(keys) if len(directions) == 1 else 1), strict=True))
    for _, direction in pairs:
        if direction not in ("asc", "desc"):
            raise BadRequest(f"Invalid sort direction: {direction}")
    # The id is compared last in any case.
    return tuple((key, direction == "asc") for key, direction in pairs)
