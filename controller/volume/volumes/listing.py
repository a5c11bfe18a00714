"""Lists of volumes: which filters there are in which microversion, and the select they make."""

import ast
import datetime
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, select
from sqlalchemy.orm import Session

from controller.volume.versions import v
from controller.volume.volumes import lookup
from controller.volume.volumes.fields import FIELDS
from controller.volume.volumes.model import Volume
from controller.web import paging, schema
from controller.web.caller import Caller
from controller.web.errors import BadRequest
from controller.web.versions import Version

Params = Mapping[str, list[str]]
_PAGING = {"limit", "marker", "offset", "sort", "sort_key", "sort_dir", "with_count"}
#: What anyone may filter by; administrators by every filterable field.
_OPEN = {
    "name",
    "status",
    "metadata",
    "bootable",
    "availability_zone",
    "group_id",
    "size",
    "created_at",
    "updated_at",
    "consumes_quota",
    "all_tenants",
    "migration_status",
}
#: Filters that came later; before, they are as unknown as any other word.
_SINCE = {"group_id": "3.10", "created_at": "3.60", "updated_at": "3.60", "consumes_quota": "3.65"}
_COMPARISONS: dict[str, Callable[[Any, datetime.datetime], ColumnElement[bool]]] = {
    "gt": lambda column, moment: column > moment,
    "gte": lambda column, moment: column >= moment,
    "lt": lambda column, moment: column < moment,
    "lte": lambda column, moment: column <= moment,
    "eq": lambda column, moment: column == moment,
    "neq": lambda column, moment: column != moment,
}


def listed(
    session: Session, caller: Caller, params: Params, version: Version
) -> tuple[list[Any], bool, int | None]:
    """One page of volumes as Core rows, whether more follow, and how many there are if that was asked."""
    page = paging.asked(params, [("created_at", False)], max_limit=1000)
    if page.marker is not None:
        lookup.find(session, caller, page.marker)
    statement = narrowed(select(*Volume.__table__.columns), caller, params, version)
    count = None
    if version >= v("3.45") and schema.as_bool(params.get("with_count", ["false"])[0]):
        count = session.scalar(select(func.count()).select_from(statement.subquery()))
    statement = paging.apply_page(session, statement, Volume, FIELDS, page).offset(_offset(params))
    shown, has_more = paging.cut(session.execute(statement).all(), page)
    return shown, has_more, count


def narrowed(statement: Select[Any], caller: Caller, params: Params, version: Version) -> Select[Any]:
    """The select, of the caller's project unless an administrator asks for all, and by every filter.

    Raises BadRequest for an unknown filter (3.31), or a value that cannot be compared.
    """
    usable = _usable(caller, params, version)
    statement = statement.where(~Volume.is_deleted)
    if not (is_all(params) and caller.is_admin):
        statement = statement.where(Volume.project_id == caller.own_project)
    if "tenant_id" in usable:
        usable = {**usable, "project_id": usable["tenant_id"]}
    statement = paging.apply_filters(statement, Volume, FIELDS, usable, version)
    for name, texts in usable.items():
        make = _FILTERS.get(name)
        if make is not None:
            statement = statement.where(make(texts[0], version))
    return statement


def is_all(params: Params) -> bool:
    """Whether ``all_tenants`` is asked for. Raises BadRequest for no boolean."""
    text = params.get("all_tenants", params.get("all_projects", ["false"]))[0]
    if text.lower() not in ("1", "0", "true", "false", "t", "f", "yes", "no", "on", "off", "y", "n", ""):
        raise BadRequest(f"Invalid value '{text}' for all_tenants. It should be a boolean.")
    return schema.as_bool(text)


def _usable(caller: Caller, params: Params, version: Version) -> dict[str, list[str]]:
    """The filters among the parameters that count in this version and for this caller."""
    filters = {k: values for k, values in params.items() if k not in _PAGING and k != "all_tenants"}
    known = {n for n in _OPEN if n not in _SINCE or version >= v(_SINCE[n])}
    if version >= v("3.34"):
        known |= {"name~"}
    if version >= v("3.31") and not caller.is_admin:
        unknown = sorted(set(filters) - known)
        if unknown:
            raise BadRequest(f"Invalid filters {','.join(unknown)} are found in query options.")
    if caller.is_admin:
        known |= {"id", "user_id", "project_id", "tenant_id", "host"}
    return {k: values for k, values in filters.items() if k in known}


def _offset(params: Params) -> int | None:
    return paging.counted(params, "offset")


def _by_bootable(text: str, version: Version) -> ColumnElement[bool]:
    if text.lower() in ("true", "false") or (version >= v("3.2") and text.lower() in ("0", "1", "t", "f")):
        return Volume.is_bootable == schema.as_bool(text.lower())
    if version >= v("3.2"):
        raise BadRequest(f"Invalid input received: 'bootable = {text}'")
    return Volume.is_bootable.is_(True)


def _by_metadata(text: str, _version: Version) -> ColumnElement[bool]:
    """``metadata={'key': 'value'}`` as Python or JSON writes it: all pairs must be there."""
    wanted = _dictionary(text)
    result: ColumnElement[bool] = Volume.id.is_not(None)
    for key, value in wanted.items():
        result = result & (Volume.meta[str(key)].as_string() == str(value))
    return result


def _dictionary(text: str) -> dict[Any, Any]:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        value = None
    if not isinstance(value, dict) or any('"' in str(k) or "\\" in str(k) for k in value):
        raise BadRequest(f"Invalid value {text[:80]!r} for filter metadata: write it as {{'key': 'value'}}.")
    return value


def _by_time(column: Any, text: str) -> ColumnElement[bool]:
    """``gt:2026-01-31T12:00:00,lt:…``"""
    result: ColumnElement[bool] = column.is_not(None)
    for part in text.split(","):
        word, _, moment = part.partition(":")
        if word not in _COMPARISONS:
            raise BadRequest(f"Invalid {column.key} operator {word!r}: use one of {', '.join(_COMPARISONS)}.")
        result = result & _COMPARISONS[word](column, _moment(moment))
    return result


def _moment(text: str) -> datetime.datetime:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"Invalid value {text!r}: write a time as 2026-01-31T12:00:00Z.") from None
    return moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _like(text: str) -> ColumnElement[bool]:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Volume.name.like(f"%{escaped}%", escape="\\")


_FILTERS: dict[str, Callable[[str, Version], ColumnElement[bool]]] = {
    "bootable": _by_bootable,
    "metadata": _by_metadata,
    "created_at": lambda text, _version: _by_time(Volume.created_at, text),
    "updated_at": lambda text, _version: _by_time(Volume.updated_at, text),
    "name~": lambda text, _version: _like(text),
    # volumes are in no group, and quota counts them all
    "group_id": lambda _text, _version: false(),
    "consumes_quota": lambda text, _version: Volume.id.is_not(None) if schema.as_bool(text) else false(),
    "host": lambda text, _version: Volume.host == text.partition("@")[0],
}
