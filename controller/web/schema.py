"""JSON schemas compiled once, and the usual parts that bodies are made of."""

import re
from collections.abc import Callable
from typing import Any

import fastjsonschema

from controller.web.errors import InvalidBody

Schema = dict[str, Any]
Check = Callable[[Any], Any]

#: No control characters (they would reach configuration files and terminals); printable otherwise.
NAME_PATTERN = r"^[^\x00-\x1f\x7f]*$"

UUID: Schema = {"type": "string", "pattern": r"^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$"}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^(?=.*\S)[^\x00-\x1f\x7f]*$"}
NAME_OR_EMPTY: Schema = {"type": "string", "maxLength": 255, "pattern": NAME_PATTERN}
DESCRIPTION: Schema = {"type": ["string", "null"], "maxLength": 255}
BOOLEAN: Schema = {"type": "boolean"}
#: What nova and cinder read as a boolean.
LOOSE_BOOLEAN: Schema = {
    "enum": [
        True,
        False,
        "True",
        "TRUE",
        "true",
        "1",
        "ON",
        "On",
        "on",
        "YES",
        "Yes",
        "yes",
        "y",
        "t",
        "False",
        "FALSE",
        "false",
        "0",
        "OFF",
        "Off",
        "off",
        "NO",
        "No",
        "no",
        "n",
        "f",
    ]
}
METADATA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "patternProperties": {r"^[a-zA-Z0-9-_:. ]{1,255}$": {"type": "string", "maxLength": 255}},
}

_FORMATS: dict[str, Any] = {}

#: Names of values that are never repeated in an answer.
_SECRETS = re.compile(
    r"(?i)pass(word|phrase|wd)?$|secret|private_key|user_data|personality|^blob$|^token$|adminPass"
)
_HIDDEN = "***"


def compile_schema(schema: Schema) -> Check:
    """A function that checks a value and returns it, with defaults of the schema filled in.

    It raises InvalidBody with a sentence that names the place.
    """
    compiled = fastjsonschema.compile(schema, formats=_FORMATS, detailed_exceptions=True)

    def check(value: Any) -> Any:
        try:
            return compiled(value)
        except fastjsonschema.JsonSchemaValueException as error:
            raise InvalidBody(_explain(error)) from None

    return check


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def integer(minimum: int | None = None, maximum: int | None = None) -> Schema:
    """An integer, also one written as a string, in a range."""
    bounds = {"minimum": minimum, "maximum": maximum}
    number: Schema = {"type": "integer", **{k: v for k, v in bounds.items() if v is not None}}
    return {"anyOf": [number, {"type": "string", "format": _number_format(minimum, maximum)}]}


def _number_format(minimum: int | None, maximum: int | None) -> str:
    """The name of a format for integers written as strings, whose bounds no pattern could say."""
    least = "" if minimum is None else f" not less than {minimum}"
    most = "" if maximum is None else f" not more than {maximum}"
    name = f"an integer{least}{most}"

    def is_one(text: str) -> bool:
        if re.fullmatch(r"-?[0-9]{1,20}", text) is None:
            return False
        return (minimum is None or int(text) >= minimum) and (maximum is None or int(text) <= maximum)

    _FORMATS[name] = is_one
    return name


def as_bool(value: Any) -> bool:
    """A LOOSE_BOOLEAN as a boolean."""
    return value if isinstance(value, bool) else str(value).lower() in ("true", "1", "on", "yes", "y", "t")


def _explain(error: Any) -> str:
    parts = [str(part) for part in error.path[1:]]
    path = ".".join(parts) or "body"
    value = _HIDDEN if any(_is_secret(part) for part in parts) else repr(_without_secrets(error.value))
    shown = value if len(value) <= 80 else value[:77] + "..."
    return f"Invalid input for field/attribute {path}. Value: {shown}. {error.message.removeprefix('data')}"


def _is_secret(name: str) -> bool:
    return _SECRETS.search(name) is not None


def _without_secrets(value: Any) -> Any:
    """The value as it may be repeated to whoever sent it: what is logged on the way must not hold more."""
    if isinstance(value, dict):
        return {k: _HIDDEN if _is_secret(str(k)) else _without_secrets(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_without_secrets(v) for v in value]
    return value
