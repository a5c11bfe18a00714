"""docs/faults.md: what was killed, stopped, lost or filled, and how long the cloud took to be whole again."""

import datetime
import pathlib
from dataclasses import dataclass

import pytest

_HEAD = """\
# What the cloud survives

Written by `make faults`, which runs every case on a real cloud: MariaDB, RabbitMQ, libvirt, Open vSwitch, tgt and
the five processes of ours. Each case begins a verb, does harm in its middle, and then waits until the resource is
where it was to go (or in ERROR with a reason), no operation is under way, the doctor finds nothing, allocations and
quotas are those of the servers that exist, and the host has exactly the domains, taps, targets and files
that the rows name. *Recovery* is from the harm's verb to that goal; a lease of {lease_s} s is part of it where
the engine was killed (30 s by default), and the machine's own slowness.

Last run: {date}, {seconds:.0f} s in all.

| what is done to it | cases | survived | slowest recovery |
|---|---|---|---|
"""


@dataclass
class _Row:
    cases: int = 0
    survived: int = 0
    slowest_s: float = 0.0
    slowest: str = ""


_rows: dict[str, _Row] = {}
_seconds = [0.0]


def note(report: pytest.TestReport) -> None:
    """Takes one test's end in. Its group and seconds are properties that it recorded."""
    _seconds[0] += report.duration
    if report.when != "call" and not report.failed:
        return
    told = dict(report.user_properties)
    row = _rows.setdefault(str(told.get("group", report.nodeid.rsplit("::", 1)[-1])), _Row())
    if report.skipped:
        return
    row.cases += 1
    row.survived += report.passed
    seconds = float(str(told.get("recovery_s", 0.0)))
    if seconds > row.slowest_s:
        row.slowest_s, row.slowest = seconds, str(told.get("case", ""))


def write(path: pathlib.Path) -> None:
    """Writes the page."""
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    lines = [_HEAD.format(date=today, seconds=_seconds[0], lease_s=6).rstrip("\n")]
    for name, row in sorted(_rows.items()):
        slowest = f"{row.slowest_s:.1f} s {row.slowest}".rstrip() if row.slowest_s else ""
        lines.append(f"| {name} | {row.cases} | {row.survived} | {slowest} |")
    total = sum(r.cases for r in _rows.values()), sum(r.survived for r in _rows.values())
    slowest_s = max((r.slowest_s for r in _rows.values()), default=0)
    lines.append(f"| **all** | {total[0]} | {total[1]} | {slowest_s:.1f} s |")
    path.write_text("\n".join(lines) + "\n")
