"""No file is longer than a reader can hold: 400 lines. ruff counts the statements of functions."""

import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
FOLDERS = (
    *("contract", "runtime", "controller", "nova_compute", "ovs_agent", "volume_agent"),
    *("lab", "etc", "tests"),
)
LIMIT = 400
#: Not written by hand: expected results, and migrations.
DERIVED = {"golden", "versions"}
#: Tables of data may be longer: file, and why it is one table.
TABLES: dict[str, str] = {}


def _source_files() -> list[str]:
    return sorted(
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if DERIVED.isdisjoint(path.parts)
    )


@pytest.mark.parametrize("name", _source_files())
def test_file_is_not_too_long(name: str) -> None:
    lines = len((ROOT / name).read_text().splitlines())
    assert lines <= LIMIT or name in TABLES, (
        f"{name} has {lines} lines: split it where two ideas meet (STYLE.md, sizes), "
        "or name it in TABLES if it is nothing but a table of data"
    )


def test_tables_are_still_needed() -> None:
    needless = [name for name in TABLES if len((ROOT / name).read_text().splitlines()) <= LIMIT]
    assert not needless, f"no longer over {LIMIT} lines: {needless}"
