"""The table of docs/performance.md: what was measured last of each profile, beside upstream's figures and the bars.

The figures are kept as JSON in ``docs/figures/<profile>.json``, by the name of what was measured: a run of some parts
replaces theirs, and the table is always that of both profiles.
"""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lab.up import profile
from tests.bench.result import Result, figure

_DOCS = pathlib.Path(__file__).parents[2] / "docs"
_PAGE, _FIGURES = _DOCS / "performance.md", _DOCS / "figures"
_BEGIN, _END = "<!-- written by make bench -->\n", "<!-- end of what make bench writes -->\n"
#: OpenStack 2026.2 on the same kind of machine, measured with the same requests.
_UPSTREAM = {
    "GET servers/detail": "17 ms CPU",
    "GET servers/detail, 100 rows": "565 ms CPU",
    "GET flavors/detail": "10 ms CPU",
    "GET networks": "20 ms CPU",
    "GET ports": "8 ms CPU",
    "GET images": "8 ms CPU",
    "GET volumes/detail": "9 ms CPU",
    "token by password, again": "9.5 ms CPU",
    "network created": "64 ms",
    "subnet created": "123 ms",
    "port created": "178 ms",
    "security group created": "60 ms",
    "security group rule created": "56 ms",
    "POST /servers": "290 ms",
    "POST → ACTIVE": "3.94 s",
    "DELETE → 404": "2.13 s",
    "10 at once: last ACTIVE": "21.7 s",
    "port plugged → ACTIVE": "2.90 s",
    "port unplugged": "0.64 s",
    "tap → flows, as servers boot": "polls every 2 s",
    "volume created": "0.34 s",
    "volume attached": "0.50 s",
    "volume detached": "0.44 s",
    "volume deleted": "0.14 s",
    "own processes, PSS, after a start": "3401 to 3963 MiB",
    "own processes, PSS, after the other parts": "4811 MiB",
    "own processes": "45 to 58",
    "all launched → first server list": "23.4 s",
}


def write(results: Sequence[Result]) -> None:
    """Keeps the figures of the profile that this cloud has, and writes the table of both."""
    _FIGURES.mkdir(exist_ok=True)
    path = _FIGURES / f"{profile.current()}.json"
    kept = _load(path) | {result.what: msgspec.to_builtins(result) for result in results}
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    text = _PAGE.read_text()
    before, after = text[: text.index(_BEGIN)], text[text.index(_END) :]
    _PAGE.write_text(before + _BEGIN + _table() + after)


def _table() -> str:
    """In the order of the first profile's figures."""
    kept = {name: _load(_FIGURES / f"{name}.json") for name in profile.PROFILES}
    names = dict.fromkeys(what for figures in kept.values() for what in figures)
    lines = [
        f"| what | upstream | {' | '.join(profile.PROFILES)} |",
        f"|---|---|{'---|' * len(profile.PROFILES)}",
    ]
    for what in names:
        cells = [_cell(figures[what]) if what in figures else "" for figures in kept.values()]
        lines.append(f"| {what.strip()} | {_UPSTREAM.get(what, '')} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(kept: Mapping[str, Any]) -> str:
    """The figure, its bar, bold if it is missed, and the load at which it was taken."""
    result = msgspec.convert(kept, Result)
    load = f"load {result.load:.0f}"
    if result.bar is None:
        return f"{figure(result.value, result.unit)} ({load})"
    told = f"{figure(result.value, result.unit)} (bar {figure(result.bar, result.unit)}, {load})"
    return told if result.value <= result.bar else f"**{told}**"


def _load(path: pathlib.Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}
