"""An API resource as a table of its fields: the only place that knows an API name.

From one ``Field`` a line everything else is computed: the schemas of create and update bodies, the view,
since and until which microversion a field exists, who sees or sets it, and by what lists are filtered,
sorted and selected. Adding a stored field is a line here and a column in the model.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controller.web import schema as schemas
from controller.web.caller import Caller
from controller.web.errors import Forbidden
from controller.web.policy import Policy
from controller.web.versions import UNVERSIONED, Version

#: Default of a field that has none: the attribute is left out when the body does not name it.
UNSET: Any = type("Unset", (), {"__repr__": lambda self: "UNSET"})()


@dataclass(frozen=True, kw_only=True)
class View:
    """What rendering a row may depend on. ``related`` holds what was loaded beside the rows, by name and
    then by id, so that no row costs a query."""

    caller: Caller
    policy: Policy
    base_url: str = ""
    version: Version = UNVERSIONED
    related: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, name: str, key: str, default: Any = None) -> Any:
        """What is related to the row ``key`` under ``name``."""
        return self.related.get(name, {}).get(key, default)


Show = Callable[[Any, View], Any]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One name in the API.

    ``attr`` is the row's attribute, ``name`` if not given. ``show`` computes the value from the row
    instead; ``is_shown`` false keeps it out of answers. ``schema`` is the JSON schema of an accepted
    value; ``create`` and ``update`` say where it is accepted, ``required`` that create must have it,
    ``default`` what create takes otherwise. ``store`` turns an accepted value into what the verb gets.
    ``filter`` turns the text of a query parameter into the value compared with the column (``filter_attr``
    if another one), ``sort`` allows it as a sort key. ``see`` and ``set`` are policy rules that a caller
    needs to see or give the field. ``versions`` are the first and last microversion it exists in.
    """

    name: str
    attr: str = ""
    show: Show | None = None
    is_shown: bool = True
    schema: schemas.Schema | None = None
    create: bool = False
    update: bool = False
    required: bool = False
    default: Any = UNSET
    store: Callable[[Any], Any] | None = None
    filter: Callable[[str], Any] | None = None
    filter_attr: str = ""
    sort: bool = False
    see: str = ""
    set: str = ""
    since: Version | None = None
    until: Version | None = None
    create_since: Version | None = None
    update_since: Version | None = None

    @property
    def attribute(self) -> str:
        """The name of the row's attribute."""
        return self.attr or self.name

    def is_in(self, version: Version) -> bool:
        """Whether the field exists in a microversion."""
        return (self.since is None or version >= self.since) and (self.until is None or version <= self.until)

    def is_taken_by(self, verb: str, version: Version) -> bool:
        """Whether a body of create or update may name it."""
        accepted, since = (
            (self.create, self.create_since) if verb == "create" else (self.update, self.update_since)
        )
        return accepted and (self.is_in(version) if since is None else version >= since)


class Fields:
    """The table of one resource. ``singular`` and ``plural`` are the keys of its envelopes.

    ``is_open``: bodies may have names that are not in the table (they are handed on as they are).
    """

    def __init__(self, singular: str, plural: str, fields: Iterable[Field], is_open: bool = False) -> None:
        self.singular = singular
        self.plural = plural
        self.fields = tuple(fields)
        self.by_name = {f.name: f for f in self.fields}
        self._is_open = is_open
        self._shown = functools.lru_cache(maxsize=512)(self._compile_view)
        self._check = functools.lru_cache(maxsize=256)(self._compile_check)

    # --- bodies

    def body(
        self, verb: str, document: Any, caller: Caller, policy: Policy, version: Version = UNVERSIONED
    ) -> dict[str, Any]:
        """The accepted values of a ``{singular: {...}}`` body by attribute, defaults filled at create.

        ``verb`` is "create" or "update". Raises InvalidBody, and Forbidden for a field that the caller may
        not set.
        """
        return self.values(verb, self._check(verb, version)(document)[self.singular], caller, policy, version)

    def values(
        self,
        verb: str,
        given: Mapping[str, Any],
        caller: Caller,
        policy: Policy,
        version: Version = UNVERSIONED,
    ) -> dict[str, Any]:
        """As ``body``, for the inside of an envelope that was checked already."""
        taken: dict[str, Any] = {}
        for f in self.fields:
            if not f.is_taken_by(verb, version):
                continue
            if f.name in given:
                if f.set and not policy.allows(caller, f.set):
                    raise Forbidden(f"Policy doesn't allow {f.set}: {f.name} may not be given by your role.")
                value = given[f.name]
                taken[f.attribute] = f.store(value) if f.store and value is not None else value
            elif verb == "create" and f.default is not UNSET:
                taken[f.attribute] = f.default() if callable(f.default) else f.default
        return taken

    def body_schema(self, verb: str, version: Version = UNVERSIONED) -> schemas.Schema:
        """The JSON schema of the inside of a body."""
        taken = [f for f in self.fields if f.is_taken_by(verb, version)]
        required = [f.name for f in taken if f.required] if verb == "create" else []
        return {
            "type": "object",
            "properties": {f.name: f.schema or {} for f in taken},
            "required": required,
            "additionalProperties": self._is_open,
        }

    def check(self, verb: str, inner: Any, version: Version = UNVERSIONED) -> dict[str, Any]:
        """The inside of one envelope, checked (for bulk bodies). Raises InvalidBody."""
        checked: dict[str, Any] = self._check(verb, version)({self.singular: inner})[self.singular]
        return checked

    # --- answers

    def view(self, row: Any, view: View, only: Sequence[str] = ()) -> dict[str, Any]:
        """The row as the API shows it to this caller, in this version."""
        shown = self._shown(view.version, self._seen(view), tuple(only))
        return {name: get(row, view) for name, get in shown}

    def one(self, row: Any, view: View) -> dict[str, Any]:
        """The answer about one row, in its envelope."""
        return {self.singular: self.view(row, view)}

    def many(self, rows: Iterable[Any], view: View, only: Sequence[str] = ()) -> dict[str, Any]:
        """The answer about a list, in its envelope."""
        shown = self._shown(view.version, self._seen(view), tuple(only))
        return {self.plural: [{name: get(row, view) for name, get in shown} for row in rows]}

    # --- lists

    def filters(self, version: Version = UNVERSIONED) -> dict[str, Field]:
        """Fields by which a list may be filtered."""
        return {f.name: f for f in self.fields if f.filter is not None and f.is_in(version)}

    def sort_keys(self) -> dict[str, Field]:
        """Fields by which a list may be sorted."""
        return {f.name: f for f in self.fields if f.sort}

    def _seen(self, view: View) -> frozenset[str]:
        rules = {f.see for f in self.fields if f.see}
        return frozenset(r for r in rules if view.policy.allows(view.caller, r))

    def _compile_view(
        self, version: Version, seen: frozenset[str], only: tuple[str, ...]
    ) -> tuple[tuple[str, Show], ...]:
        return tuple(
            (f.name, f.show or _getter(f.attribute))
            for f in self.fields
            if f.is_shown
            and f.is_in(version)
            and (not f.see or f.see in seen)
            and (not only or f.name in only)
        )

    def _compile_check(self, verb: str, version: Version) -> schemas.Check:
        return schemas.compile_schema(
            {
                "type": "object",
                "properties": {self.singular: self.body_schema(verb, version)},
                "required": [self.singular],
                "additionalProperties": self._is_open,
            }
        )


def _getter(attribute: str) -> Show:
    def get(row: Any, _view: View) -> Any:
        return getattr(row, attribute)

    return get


# --- ways in which query parameters are read


def exact(text: str) -> str:
    """Compared as it stands."""
    return text


def boolean(text: str) -> bool:
    """A boolean as clients write it. Raises ValueError."""
    if text.lower() in ("true", "1", "yes", "on", "t", "y"):
        return True
    if text.lower() in ("false", "0", "no", "off", "f", "n"):
        return False
    raise ValueError(text)


def number(text: str) -> int:
    """An integer. Raises ValueError."""
    return int(text)


def time_text(value: Any) -> str | None:
    """A moment as most services write it: 2026-01-31T12:00:00Z."""
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_time_text(value: Any) -> str | None:
    """A moment with microseconds and without zone, as volume and instance actions write it."""
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%S.%f")


def shown_time(attribute: str) -> Show:
    """Shows a moment attribute by ``time_text``."""
    return lambda row, _view: time_text(getattr(row, attribute))
