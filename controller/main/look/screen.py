"""How the looks are shown: aligned text with colours on a terminal, or JSON for programs."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
Row = dict[str, Any]

_COLOURS = {
    "up": "green", "active": "green", "available": "green", "in-use": "green", "applied": "green", "done": "green",
    "down": "red", "error": "red", "failed": "red", "frozen": "red",
    "running": "yellow", "waiting": "yellow", "retrying": "yellow", "undoing": "yellow", "building": "yellow",
}  # fmt: skip


def as_json(command: Command) -> Command:
    """The option that all looks have."""
    return click.option("--json", "is_json", is_flag=True, help="For programs.")(command)


def show_json(found: Any) -> None:
    """One document, its keys in order."""
    click.echo(json.dumps(found, indent=2, default=str))


def heading(text: str) -> None:
    """A line above a table."""
    click.secho(text, bold=True)


def table(rows: Sequence[Row], empty: str) -> None:
    """Rows of the same keys; ``empty`` is said when there are none. Text goes last, as it is long."""
    if not rows:
        click.echo(f"  {empty}")
        return
    names = list(rows[0])
    texts = [{name: _text(row[name]) for name in names} for row in rows]
    widths = {name: max(len(text[name]) for text in texts) for name in names}
    for text in texts:
        cells = [_coloured(text[name], widths[name]) for name in names]
        click.echo(f"  {'  '.join(cells)}".rstrip())


def _coloured(text: str, width: int) -> str:
    padded = text.ljust(width)
    colour = _COLOURS.get(text)
    return click.style(padded, fg=colour) if colour else padded


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.1f} s" if isinstance(value, float) else str(value)
