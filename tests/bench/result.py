"""What a bench measured, beside the bar it should keep to; and the table of all of them."""

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Result:
    """One figure. ``bar`` None: told for comparison only. ``note`` says what else is to be known."""

    what: str
    value: float
    unit: str
    bar: float | None = None
    note: str = ""
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    @property
    def verdict(self) -> str:
        """Whether the bar is kept."""
        if self.bar is None:
            return ""
        return "yes" if self.value <= self.bar else "NO"


def median(what: str, values: Sequence[float], unit: str, bar: float | None = None, note: str = "") -> Result:
    """The median of several, with the least and the most in its note."""
    digits = 1 if unit.startswith("ms") else 3
    spread = f"{min(values):.{digits}f} to {max(values):.{digits}f}, n {len(values)}"
    return Result(what, statistics.median(values), unit, bar, f"{spread}; {note}" if note else spread)


def table(results: Sequence[Result]) -> str:
    """All figures, aligned."""
    head = ("what", "measured", "bar", "kept", "load", "")
    rows = [
        (r.what, figure(r.value, r.unit), figure(r.bar, r.unit), r.verdict, f"{r.load:.1f}", r.note)
        for r in results
    ]
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(5)]
    lines = [
        "  ".join((row[0].ljust(widths[0]), *(row[n].rjust(widths[n]) for n in range(1, 5)), row[5])).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join(lines)


def figure(value: float | None, unit: str) -> str:
    """A value with its unit, in as many digits as mean something."""
    if value is None:
        return "-"
    digits = 0 if unit in ("MiB", "processes", "pings") else 1 if unit.startswith("ms") else 3
    return f"{value:.{digits}f} {unit}"
